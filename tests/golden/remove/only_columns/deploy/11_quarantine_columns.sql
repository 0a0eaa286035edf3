-- 11_quarantine_columns (deploy), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Renames the columns. Whoever still uses an old name gets SQLSTATE 42703, a cached prepared statement 0A000,
--          and is heard: neither values nor columns go before the scream window has passed since then, with planted
--          refusals found in the server's log.
-- Lock:    ACCESS EXCLUSIVE on the users table, for a change of the catalog (milliseconds).
-- Blocks:  Queries on the users table while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file renaming-column

-- unit: rename
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('11_quarantine_columns', 'rename', 'deploy', 'e2208e7bbcb1f0a4');
-- The columns' own scream window begins: up to its end neither their values nor they go.
INSERT INTO migrator_guard.scream (of_columns) VALUES (true)
ON CONFLICT (only_one) DO UPDATE SET opened_at = EXCLUDED.opened_at, looked_at = NULL, control_counted = false, refusals = NULL, unproven = '', of_columns = true;
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
SELECT migrator_guard.expect('public', 'users', 'public');
ALTER TABLE "public"."users" RENAME COLUMN "encrypted_password" TO "migrator_q_encrypted_password";
ALTER TABLE "public"."users" RENAME COLUMN "sign_in_count" TO "migrator_q_sign_in_count";
ALTER TABLE "public"."users" RENAME COLUMN "reset_password_token" TO "migrator_q_reset_password_token";
ALTER TABLE "public"."users" RENAME COLUMN "failed_attempts" TO "migrator_q_failed_attempts";
ALTER TABLE "public"."users" RENAME COLUMN "current_sign_in_ip" TO "migrator_q_current_sign_in_ip";
ALTER TABLE "public"."users" RENAME COLUMN "confirmed_at" TO "migrator_q_confirmed_at";
SELECT migrator_guard.leave('11_quarantine_columns', 'rename', 'deploy', true);
COMMIT;
