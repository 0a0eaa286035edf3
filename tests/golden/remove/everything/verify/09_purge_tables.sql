-- 09_purge_tables (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.verified(to_regclass('"migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"') IS NULL
    AND to_regclass('"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"') IS NULL, 'Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890 is dropped');
SELECT migrator_guard.verified(to_regclass('"migrator_quarantine"."tokens"') IS NULL
    AND to_regclass('"public"."tokens"') IS NULL, 'public.tokens is dropped');
SELECT migrator_guard.verified(to_regclass('"migrator_quarantine"."scratch"') IS NULL
    AND to_regclass('"public"."scratch"') IS NULL, 'public.scratch is dropped');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'to tokens'
    AND conrelid = '"public"."stays"'::regclass), 'foreign key to tokens is gone');
COMMIT;
