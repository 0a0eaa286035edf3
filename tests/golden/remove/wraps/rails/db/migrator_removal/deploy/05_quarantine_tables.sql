-- 05_quarantine_tables
-- unit: deploy
BEGIN;
SELECT 1;
COMMIT;
