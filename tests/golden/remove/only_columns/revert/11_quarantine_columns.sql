-- 11_quarantine_columns (revert), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Takes this step back: Renames the columns. Whoever still uses an old name gets SQLSTATE 42703, a cached
--          prepared statement 0A000, and is heard: neither values nor columns go before the scream window has passed
--          since then, with planted refusals found in the server's log.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Queries on the users table while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 11_quarantine_columns
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file renaming-column

-- unit: rename
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('11_quarantine_columns', 'rename', 'revert', 'e2208e7bbcb1f0a4');
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
SELECT migrator_guard.expect('public', 'users', 'public');
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_encrypted_password" TO "encrypted_password";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_sign_in_count" TO "sign_in_count";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_reset_password_token" TO "reset_password_token";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_failed_attempts" TO "failed_attempts";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_current_sign_in_ip" TO "current_sign_in_ip";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_confirmed_at" TO "confirmed_at";
DELETE FROM migrator_guard.scream;
SELECT migrator_guard.leave('11_quarantine_columns', 'rename', 'revert', true);
COMMIT;
