-- 17_finalize
-- unit: deploy
BEGIN;
SELECT 1;
COMMIT;
