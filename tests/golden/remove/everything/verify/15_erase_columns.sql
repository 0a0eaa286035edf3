-- 15_erase_columns (verify), plan cded23f13854b98c, database shop
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
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR NOT EXISTS (SELECT FROM (
    SELECT to_jsonb(u) ->> 'migrator_q_encrypted_password' AS value FROM "public"."users" AS u) AS v WHERE v.value IS NOT NULL),
    'column encrypted_password holds nothing any more');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR NOT EXISTS (SELECT FROM (
    SELECT to_jsonb(u) ->> 'migrator_q_sign_in_count' AS value FROM "public"."users" AS u) AS v WHERE v.value IS NOT NULL),
    'column sign_in_count holds nothing any more');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR NOT EXISTS (SELECT FROM (
    SELECT to_jsonb(u) ->> 'migrator_q_reset_password_token' AS value FROM "public"."users" AS u) AS v WHERE v.value IS NOT NULL),
    'column reset_password_token holds nothing any more');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR NOT EXISTS (SELECT FROM (
    SELECT to_jsonb(u) ->> 'migrator_q_confirmation_token' AS value FROM "public"."users" AS u) AS v WHERE v.value IS NOT NULL),
    'column confirmation_token holds nothing any more');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR NOT EXISTS (SELECT FROM (
    SELECT to_jsonb(u) ->> 'migrator_q_failed_attempts' AS value FROM "public"."users" AS u) AS v WHERE v.value IS NOT NULL),
    'column failed_attempts holds nothing any more');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR NOT EXISTS (SELECT FROM (
    SELECT to_jsonb(u) ->> 'migrator_q_current_sign_in_ip' AS value FROM "public"."users" AS u) AS v WHERE v.value IS NOT NULL),
    'column current_sign_in_ip holds nothing any more');
SELECT migrator_guard.verified(migrator_guard.is_applied('16_purge_columns') OR NOT EXISTS (SELECT FROM (
    SELECT to_jsonb(u) ->> 'migrator_q_confirmed_at' AS value FROM "public"."users" AS u) AS v WHERE v.value IS NOT NULL),
    'column confirmed_at holds nothing any more');
COMMIT;
