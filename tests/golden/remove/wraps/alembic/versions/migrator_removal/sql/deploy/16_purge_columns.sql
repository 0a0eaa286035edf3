-- 16_purge_columns
-- unit: deploy
BEGIN;
SELECT 1;
COMMIT;
