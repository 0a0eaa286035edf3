-- 14_write_block_columns (deploy), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Blocks writes to the renamed columns, then compares them with their archive by primary key.
-- Lock:    SHARE ROW EXCLUSIVE on the users table for a moment (trigger), then ACCESS SHARE.
-- Blocks:  Updates of the quarantined columns; all other work on the table goes on.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: block
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('14_write_block_columns', 'block', 'deploy', 'e2208e7bbcb1f0a4');
LOCK TABLE ONLY "public"."users" IN SHARE ROW EXCLUSIVE MODE;
SELECT migrator_guard.expect('public', 'users', 'public');
CREATE SEQUENCE migrator_guard."rejected_users";
CREATE TRIGGER migrator_guard_block BEFORE UPDATE ON "public"."users"
    FOR EACH ROW WHEN (
        OLD."migrator_q_encrypted_password"::text IS DISTINCT FROM NEW."migrator_q_encrypted_password"::text
        OR OLD."migrator_q_sign_in_count"::text IS DISTINCT FROM NEW."migrator_q_sign_in_count"::text
        OR OLD."migrator_q_reset_password_token"::text IS DISTINCT FROM NEW."migrator_q_reset_password_token"::text
        OR OLD."migrator_q_failed_attempts"::text IS DISTINCT FROM NEW."migrator_q_failed_attempts"::text
        OR OLD."migrator_q_current_sign_in_ip"::text IS DISTINCT FROM NEW."migrator_q_current_sign_in_ip"::text
        OR OLD."migrator_q_confirmed_at"::text IS DISTINCT FROM NEW."migrator_q_confirmed_at"::text)
    EXECUTE FUNCTION migrator_guard.block_write('rejected_users');
ALTER TABLE "public"."users" ENABLE ALWAYS TRIGGER migrator_guard_block;
SELECT migrator_guard.leave('14_write_block_columns', 'block', 'deploy', false);
COMMIT;

-- unit: compare
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('14_write_block_columns', 'compare', 'deploy', 'e2208e7bbcb1f0a4');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.rows_unchanged(count(*) FILTER (WHERE k.sha256 <> sha256(convert_to(
              migrator_guard.field(u."id"::text)
              || migrator_guard.field(u."migrator_q_sign_in_count"::text)
              || migrator_guard.field(u."migrator_q_failed_attempts"::text)
              || migrator_guard.field(u."migrator_q_current_sign_in_ip"::text)
              || migrator_guard.field(u."migrator_q_confirmed_at"::text), 'UTF8'))), 'table public.users')
FROM migrator_guard."rows_users" AS k JOIN "public"."users" AS u ON u."id" = k."id";
UPDATE migrator_guard.archive SET compared_at = clock_timestamp() WHERE name = 'users';
SELECT migrator_guard.leave('14_write_block_columns', 'compare', 'deploy', true);
COMMIT;
