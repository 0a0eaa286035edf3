-- 11_quarantine_columns (verify), plan e2208e7bbcb1f0a4, database shop
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
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = '"public"."users"'::regclass AND attname = 'migrator_q_encrypted_password'),
    'column encrypted_password is in quarantine');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname = 'encrypted_password' AND NOT attisdropped), 'no column is called encrypted_password');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = '"public"."users"'::regclass AND attname = 'migrator_q_sign_in_count'),
    'column sign_in_count is in quarantine');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname = 'sign_in_count' AND NOT attisdropped), 'no column is called sign_in_count');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = '"public"."users"'::regclass AND attname = 'migrator_q_reset_password_token'),
    'column reset_password_token is in quarantine');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname = 'reset_password_token' AND NOT attisdropped), 'no column is called reset_password_token');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = '"public"."users"'::regclass AND attname = 'migrator_q_failed_attempts'),
    'column failed_attempts is in quarantine');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname = 'failed_attempts' AND NOT attisdropped), 'no column is called failed_attempts');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = '"public"."users"'::regclass AND attname = 'migrator_q_current_sign_in_ip'),
    'column current_sign_in_ip is in quarantine');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname = 'current_sign_in_ip' AND NOT attisdropped), 'no column is called current_sign_in_ip');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = '"public"."users"'::regclass AND attname = 'migrator_q_confirmed_at'),
    'column confirmed_at is in quarantine');
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
    AND attname = 'confirmed_at' AND NOT attisdropped), 'no column is called confirmed_at');
COMMIT;
