-- 16_purge_columns (verify), plan e2208e7bbcb1f0a4, database shop
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
    AND attname IN ('encrypted_password', 'migrator_q_encrypted_password') AND NOT attisdropped), 'column encrypted_password is dropped');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname IN ('sign_in_count', 'migrator_q_sign_in_count') AND NOT attisdropped), 'column sign_in_count is dropped');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname IN ('reset_password_token', 'migrator_q_reset_password_token') AND NOT attisdropped), 'column reset_password_token is dropped');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname IN ('failed_attempts', 'migrator_q_failed_attempts') AND NOT attisdropped), 'column failed_attempts is dropped');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname IN ('current_sign_in_ip', 'migrator_q_current_sign_in_ip') AND NOT attisdropped), 'column current_sign_in_ip is dropped');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname IN ('confirmed_at', 'migrator_q_confirmed_at') AND NOT attisdropped), 'column confirmed_at is dropped');
COMMIT;
