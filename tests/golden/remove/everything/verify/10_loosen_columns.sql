-- 10_loosen_columns (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname IN ('encrypted_password', 'migrator_q_encrypted_password') AND NOT attisdropped AND attnotnull),
    'column encrypted_password may be left out');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname IN ('sign_in_count', 'migrator_q_sign_in_count') AND NOT attisdropped AND attnotnull),
    'column sign_in_count may be left out');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname IN ('failed_attempts', 'migrator_q_failed_attempts') AND NOT attisdropped AND attnotnull),
    'column failed_attempts may be left out');
COMMIT;
