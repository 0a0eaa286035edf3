-- 01_guard
-- unit: deploy
BEGIN;
SELECT 1;
COMMIT;
