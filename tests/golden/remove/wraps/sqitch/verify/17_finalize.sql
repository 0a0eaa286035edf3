-- 17_finalize
-- unit: verify
BEGIN;
SELECT 1;
COMMIT;
