-- 17_finalize
-- unit: revert
BEGIN;
SELECT 1;
COMMIT;
