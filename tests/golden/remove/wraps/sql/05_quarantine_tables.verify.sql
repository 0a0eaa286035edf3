-- 05_quarantine_tables
-- unit: verify
BEGIN;
SELECT 1;
COMMIT;
