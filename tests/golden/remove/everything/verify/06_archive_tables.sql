-- 06_archive_tables (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.archived('wörter "quoted" and long: 0123456789012345678901234567890', '06_archive_tables');
SELECT migrator_guard.archived('tokens', '06_archive_tables');
SELECT migrator_guard.archived('scratch', '06_archive_tables');
COMMIT;
