-- 01_guard
-- unit: revert
BEGIN;
SELECT 1;
COMMIT;
