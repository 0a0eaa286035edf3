-- 03_revoke (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR NOT migrator_guard.may_use('a role', t.oid),
    'a role may not use Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890')
FROM migrator_guard.target AS t WHERE schema_name = 'Odd Schema' AND table_name = 'wörter "quoted" and long: 0123456789012345678901234567890';
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR NOT migrator_guard.may_use('a role', t.oid),
    'a role may not use public.tokens')
FROM migrator_guard.target AS t WHERE schema_name = 'public' AND table_name = 'tokens';
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR NOT migrator_guard.may_use('a role', t.oid),
    'a role may not use public.scratch')
FROM migrator_guard.target AS t WHERE schema_name = 'public' AND table_name = 'scratch';
COMMIT;
