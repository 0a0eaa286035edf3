-- 17_finalize (verify), plan cded23f13854b98c, database shop
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
DO $migrator$
DECLARE
    left_over text := (SELECT string_agg(found.what, ', ') FROM (
        SELECT 'schema ' || nspname AS what FROM pg_namespace WHERE nspname IN ('migrator_guard', 'migrator_quarantine')
        UNION ALL SELECT 'table Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890' WHERE to_regclass('"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"') IS NOT NULL
        UNION ALL SELECT 'table public.tokens' WHERE to_regclass('"public"."tokens"') IS NOT NULL
        UNION ALL SELECT 'table public.scratch' WHERE to_regclass('"public"."scratch"') IS NOT NULL
        UNION ALL SELECT 'column ' || attname FROM pg_attribute WHERE attrelid = '"public"."users"'::regclass
            AND attname = ANY (ARRAY['encrypted_password', 'sign_in_count', 'reset_password_token', 'confirmation_token', 'failed_attempts', 'current_sign_in_ip', 'confirmed_at', 'migrator_q_encrypted_password', 'migrator_q_sign_in_count', 'migrator_q_reset_password_token', 'migrator_q_confirmation_token', 'migrator_q_failed_attempts', 'migrator_q_current_sign_in_ip', 'migrator_q_confirmed_at']::name[]) AND NOT attisdropped
        UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname IN ('migrator_guard_block', 'migrator_guard_truncate')
    ) AS found);
BEGIN
    IF left_over IS NOT NULL THEN
        RAISE EXCEPTION 'still there: %', left_over USING ERRCODE = 'MG007', HINT = 'migrator remove status';
    END IF;
END
$migrator$;
COMMIT;
