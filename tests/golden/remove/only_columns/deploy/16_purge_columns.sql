-- 16_purge_columns (deploy), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Compares the columns with their archive, then drops them in one transaction.
-- Lock:    ACCESS EXCLUSIVE on the users table and on tables that the columns point to, for a change of the catalog
--          (milliseconds).
-- Blocks:  Queries on these tables while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    As long as the archive's files and their private key are kept; see `exceptions` in plan.json. Command:
--          migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-drop-column, ban-drop-sequence, ban-drop-table

-- Reading only, and each time anew: the drop below accepts a comparison of the last 15 minutes.
-- always: compare
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'compare', 'deploy', 'e2208e7bbcb1f0a4');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.verified(NOT EXISTS (SELECT FROM "public"."users" WHERE "migrator_q_encrypted_password" IS NOT NULL OR "migrator_q_sign_in_count" IS NOT NULL OR "migrator_q_reset_password_token" IS NOT NULL OR "migrator_q_failed_attempts" IS NOT NULL OR "migrator_q_current_sign_in_ip" IS NOT NULL OR "migrator_q_confirmed_at" IS NOT NULL), 'the columns are erased');
UPDATE migrator_guard.archive SET compared_at = clock_timestamp() WHERE name = 'users';
COMMIT;

-- unit: drop
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'drop', 'deploy', 'e2208e7bbcb1f0a4');
SELECT migrator_guard.nobody_screamed(interval '604800 seconds');
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;

SELECT migrator_guard.expect('public', 'users', 'public');
SELECT migrator_guard.unwritten('"public"."users"'::regclass, 'users', 'migrator_guard."rejected_users"'::regclass);
SELECT migrator_guard.proven('users');
DROP TRIGGER migrator_guard_block ON "public"."users";
DROP SEQUENCE migrator_guard."rejected_users" RESTRICT;
-- Indexes and constraints of these columns go with them; the revert file brings them back.
ALTER TABLE "public"."users"
    DROP COLUMN "migrator_q_encrypted_password" RESTRICT,
    DROP COLUMN "migrator_q_sign_in_count" RESTRICT,
    DROP COLUMN "migrator_q_reset_password_token" RESTRICT,
    DROP COLUMN "migrator_q_failed_attempts" RESTRICT,
    DROP COLUMN "migrator_q_current_sign_in_ip" RESTRICT,
    DROP COLUMN "migrator_q_confirmed_at" RESTRICT;
SELECT migrator_guard.leave('16_purge_columns', 'drop', 'deploy', true);
COMMIT;
