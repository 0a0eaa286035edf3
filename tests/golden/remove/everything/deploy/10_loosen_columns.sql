-- 10_loosen_columns (deploy), plan cded23f13854b98c, database shop
--
-- What:    Lets rows be written that no longer name the columns: NOT NULL goes where there is no default, and a default
--          where a unique index would let it in only once.
-- Lock:    ACCESS EXCLUSIVE on the users table, for a change of the catalog (milliseconds).
-- Blocks:  Queries on the users table while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-drop-not-null, ban-drop-default

-- unit: loosen
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'loosen', 'deploy', 'cded23f13854b98c');
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
SELECT migrator_guard.expect('public', 'users', 'public');
-- A default in a unique index lets one row in only, and values that are to be erased must not come from a default.
ALTER TABLE "public"."users" ALTER COLUMN "encrypted_password" DROP DEFAULT;
-- A default in a unique index lets one row in only, and values that are to be erased must not come from a default.
ALTER TABLE "public"."users" ALTER COLUMN "sign_in_count" DROP DEFAULT;
-- Without a default an INSERT that no longer names this column would fail.
ALTER TABLE "public"."users" ALTER COLUMN "encrypted_password" DROP NOT NULL;
-- Without a default an INSERT that no longer names this column would fail.
ALTER TABLE "public"."users" ALTER COLUMN "sign_in_count" DROP NOT NULL;
-- Without a default an INSERT that no longer names this column would fail.
ALTER TABLE "public"."users" ALTER COLUMN "failed_attempts" DROP NOT NULL;
SELECT migrator_guard.leave('10_loosen_columns', 'loosen', 'deploy', true);
COMMIT;
