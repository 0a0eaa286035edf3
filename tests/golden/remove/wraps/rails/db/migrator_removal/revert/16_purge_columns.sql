-- 16_purge_columns
-- unit: revert
BEGIN;
SELECT 1;
COMMIT;
