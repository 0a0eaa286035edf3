-- 07_drill_tables (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.verified(EXISTS (SELECT FROM migrator_guard.archive WHERE name = 'wörter "quoted" and long: 0123456789012345678901234567890' AND drilled_at IS NOT NULL),
    'the archive of Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890 was restored and compared');
SELECT migrator_guard.verified(EXISTS (SELECT FROM migrator_guard.archive WHERE name = 'tokens' AND drilled_at IS NOT NULL),
    'the archive of public.tokens was restored and compared');
SELECT migrator_guard.verified(EXISTS (SELECT FROM migrator_guard.archive WHERE name = 'scratch' AND drilled_at IS NOT NULL),
    'the archive of public.scratch was restored and compared');
COMMIT;
