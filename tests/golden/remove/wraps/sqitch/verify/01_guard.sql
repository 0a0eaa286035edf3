-- 01_guard
-- unit: verify
BEGIN;
SELECT 1;
COMMIT;
