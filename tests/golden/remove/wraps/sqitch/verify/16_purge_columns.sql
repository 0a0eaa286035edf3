-- 16_purge_columns
-- unit: verify
BEGIN;
SELECT 1;
COMMIT;
