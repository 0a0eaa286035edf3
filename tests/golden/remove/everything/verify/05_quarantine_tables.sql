-- 05_quarantine_tables (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR to_regclass('"migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"')
    = (SELECT oid FROM migrator_guard.target WHERE schema_name = 'Odd Schema' AND table_name = 'wörter "quoted" and long: 0123456789012345678901234567890'),
    'Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890 is in quarantine');
SELECT migrator_guard.verified(to_regclass('"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"') IS NULL, 'Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890 is gone from its place');
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR to_regclass('"migrator_quarantine"."tokens"')
    = (SELECT oid FROM migrator_guard.target WHERE schema_name = 'public' AND table_name = 'tokens'),
    'public.tokens is in quarantine');
SELECT migrator_guard.verified(to_regclass('"public"."tokens"') IS NULL, 'public.tokens is gone from its place');
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR to_regclass('"migrator_quarantine"."scratch"')
    = (SELECT oid FROM migrator_guard.target WHERE schema_name = 'public' AND table_name = 'scratch'),
    'public.scratch is in quarantine');
SELECT migrator_guard.verified(to_regclass('"public"."scratch"') IS NULL, 'public.scratch is gone from its place');
COMMIT;
