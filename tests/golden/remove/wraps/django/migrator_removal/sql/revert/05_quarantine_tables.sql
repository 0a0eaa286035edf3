-- 05_quarantine_tables
-- unit: revert
BEGIN;
SELECT 1;
COMMIT;
