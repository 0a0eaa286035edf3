-- 08_write_block_tables (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = to_regclass('"migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"') AND tgname = 'migrator_guard_block' AND tgenabled = 'A'),
    'writes to Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890 are blocked');
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = to_regclass('"migrator_quarantine"."tokens"') AND tgname = 'migrator_guard_block' AND tgenabled = 'A'),
    'writes to public.tokens are blocked');
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = to_regclass('"migrator_quarantine"."scratch"') AND tgname = 'migrator_guard_block' AND tgenabled = 'A'),
    'writes to public.scratch are blocked');
COMMIT;
