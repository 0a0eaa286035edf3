-- 01_guard (verify), plan e2208e7bbcb1f0a4, database shop
-- Raises with SQLSTATE MG004 or MG007 when the step's effect is not what the database holds. Reads only, ACCESS SHARE.

-- always: verify
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.verified(EXISTS (SELECT FROM migrator_guard.plan WHERE plan_id = 'e2208e7bbcb1f0a4'), 'this plan is the one under way');
SELECT migrator_guard.verified(count(*) = 9, 'the step log knows every step') FROM migrator_guard.step;
COMMIT;
