-- 15_erase_columns (deploy), plan cded23f13854b98c, database shop
--
-- What:    Overwrites the quarantined columns with NULL, in batches, then writes the table anew, so that no block holds
--          the values any more. WAL, replicas and backups hold them until those rotate.
-- Lock:    ROW EXCLUSIVE for the batches, then ACCESS EXCLUSIVE on the users table for as long as it and its indexes
--          are written anew: minutes, by its size.
-- Blocks:  All use of the users table while it is written anew.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    As long as the archive's files and their private key are kept; see `exceptions` in plan.json. Command:
--          migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- Once more before the first value goes: it is in the archive as it is here, and nothing has written past the block.
-- unit: compare
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('15_erase_columns', 'compare', 'deploy', 'cded23f13854b98c');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.expect('public', 'users', 'public');
SELECT migrator_guard.rows_unchanged(count(*) FILTER (WHERE k.sha256 <> sha256(convert_to(
              migrator_guard.field(u."id"::text)
              || migrator_guard.field(u."migrator_q_encrypted_password"::text)
              || migrator_guard.field(u."migrator_q_sign_in_count"::text)
              || migrator_guard.field(u."migrator_q_reset_password_token"::text)
              || migrator_guard.field(u."migrator_q_confirmation_token"::text)
              || migrator_guard.field(u."migrator_q_failed_attempts"::text)
              || migrator_guard.field(u."migrator_q_current_sign_in_ip"::text)
              || migrator_guard.field(u."migrator_q_confirmed_at"::text), 'UTF8'))), 'table public.users')
FROM migrator_guard."rows_users" AS k JOIN "public"."users" AS u ON u."id" = k."id";
UPDATE migrator_guard.archive SET compared_at = clock_timestamp() WHERE name = 'users';
SELECT migrator_guard.nobody_screamed(interval '604800 seconds');
SELECT migrator_guard.unwritten('"public"."users"'::regclass, 'users', 'migrator_guard."rejected_users"'::regclass);
SELECT migrator_guard.leave('15_erase_columns', 'compare', 'deploy', false);
COMMIT;

-- unit: null
-- 100 blocks per transaction, past the write-block; a row that moved meanwhile is met in another round. Begun again it
-- finds less to do. Not for a transaction block.
DO $migrator$
DECLARE
    first_block bigint;
    last_block bigint;
BEGIN
    PERFORM migrator_guard.proven('users');
    LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM "public"."users" WHERE "migrator_q_encrypted_password" IS NOT NULL OR "migrator_q_sign_in_count" IS NOT NULL OR "migrator_q_reset_password_token" IS NOT NULL OR "migrator_q_confirmation_token" IS NOT NULL OR "migrator_q_failed_attempts" IS NOT NULL OR "migrator_q_current_sign_in_ip" IS NOT NULL OR "migrator_q_confirmed_at" IS NOT NULL);
        first_block := 0;
        last_block := pg_relation_size('"public"."users"'::regclass) / current_setting('block_size')::bigint;
        WHILE first_block <= last_block LOOP
            PERFORM set_config('lock_timeout', '200ms', true);
            PERFORM migrator_guard.enter('15_erase_columns', 'null', 'deploy', 'cded23f13854b98c');
            PERFORM migrator_guard.approve_writer();
            UPDATE "public"."users" SET "migrator_q_encrypted_password" = NULL, "migrator_q_sign_in_count" = NULL, "migrator_q_reset_password_token" = NULL, "migrator_q_confirmation_token" = NULL, "migrator_q_failed_attempts" = NULL, "migrator_q_current_sign_in_ip" = NULL, "migrator_q_confirmed_at" = NULL
            WHERE ctid >= format('(%s,0)', first_block)::tid AND ctid < format('(%s,0)', first_block + 100)::tid
              AND ("migrator_q_encrypted_password" IS NOT NULL OR "migrator_q_sign_in_count" IS NOT NULL OR "migrator_q_reset_password_token" IS NOT NULL OR "migrator_q_confirmation_token" IS NOT NULL OR "migrator_q_failed_attempts" IS NOT NULL OR "migrator_q_current_sign_in_ip" IS NOT NULL OR "migrator_q_confirmed_at" IS NOT NULL);
            COMMIT;
            first_block := first_block + 100;
        END LOOP;
    END LOOP;
    PERFORM migrator_guard.enter('15_erase_columns', 'null', 'deploy', 'cded23f13854b98c');
    PERFORM migrator_guard.leave('15_erase_columns', 'null', 'deploy', false);
END
$migrator$;

-- Old versions of rows stay in their blocks, even after a VACUUM, until the table is written anew.
-- unit: rewrite
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('15_erase_columns', 'rewrite', 'deploy', 'cded23f13854b98c');
SELECT migrator_guard.expect('public', 'users', 'public');
CLUSTER "public"."users" USING "users_pkey";
ALTER TABLE "public"."users" SET WITHOUT CLUSTER;
SELECT migrator_guard.leave('15_erase_columns', 'rewrite', 'deploy', false);
COMMIT;

-- unit: hashes
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('15_erase_columns', 'hashes', 'deploy', 'cded23f13854b98c');
DO $migrator$
BEGIN
    IF to_regclass('migrator_guard."rows_users"') IS NOT NULL THEN
        DROP TABLE migrator_guard."rows_users" RESTRICT;
    END IF;
END
$migrator$;
SELECT migrator_guard.leave('15_erase_columns', 'hashes', 'deploy', true);
COMMIT;

