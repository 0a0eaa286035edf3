-- 02_tripwires (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR EXISTS (SELECT FROM migrator_guard.tripwire AS w
    JOIN pg_class AS v ON v.oid = w.view_oid JOIN pg_trigger AS t ON t.oid = w.trigger_oid AND t.tgenabled = 'A'
    WHERE w.schema_name = 'Odd Schema' AND w.table_name = 'wörter "quoted" and long: 0123456789012345678901234567890'),
    'the tripwires of Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890 are set');
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR EXISTS (SELECT FROM migrator_guard.tripwire AS w
    JOIN pg_class AS v ON v.oid = w.view_oid JOIN pg_trigger AS t ON t.oid = w.trigger_oid AND t.tgenabled = 'A'
    WHERE w.schema_name = 'public' AND w.table_name = 'tokens'),
    'the tripwires of public.tokens are set');
SELECT migrator_guard.verified(migrator_guard.is_applied('09_purge_tables') OR EXISTS (SELECT FROM migrator_guard.tripwire AS w
    JOIN pg_class AS v ON v.oid = w.view_oid JOIN pg_trigger AS t ON t.oid = w.trigger_oid AND t.tgenabled = 'A'
    WHERE w.schema_name = 'public' AND w.table_name = 'scratch'),
    'the tripwires of public.scratch are set');
COMMIT;
