-- 10_loosen_columns (revert), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Takes this step back: Lets rows be written that no longer name the columns: NOT NULL goes where there is no
--          default, and a default where a unique index would let it in only once.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Queries on the users table while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 10_loosen_columns
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back; NOT
--          NULL is proven by a validated check.
-- squawk-ignore-file ban-drop-constraint, adding-not-nullable-field, constraint-missing-not-valid

-- unit: defaults
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'defaults', 'revert', 'e2208e7bbcb1f0a4');
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
ALTER TABLE "public"."users" ALTER COLUMN "encrypted_password" SET DEFAULT ''::character varying;
ALTER TABLE "public"."users" ALTER COLUMN "sign_in_count" SET DEFAULT 0;
SELECT migrator_guard.leave('10_loosen_columns', 'defaults', 'revert', false);
COMMIT;

-- Users that came meanwhile; there was no NULL before.
-- unit: later_rows
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'later_rows', 'revert', 'e2208e7bbcb1f0a4');
UPDATE "public"."users" SET "encrypted_password" = DEFAULT WHERE "encrypted_password" IS NULL;
UPDATE "public"."users" SET "sign_in_count" = DEFAULT WHERE "sign_in_count" IS NULL;
SELECT migrator_guard.leave('10_loosen_columns', 'later_rows', 'revert', false);
COMMIT;

-- unit: not_null_1_claim
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_1_claim', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" ADD CONSTRAINT "migrator_not_null_1" CHECK ("encrypted_password" IS NOT NULL) NOT VALID;
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_1_claim', 'revert', false);
COMMIT;

-- Fails with SQLSTATE 23514 when rows were written without a value meanwhile: give them one and go on.
-- unit: not_null_1_prove
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_1_prove', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" VALIDATE CONSTRAINT "migrator_not_null_1";
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_1_prove', 'revert', false);
COMMIT;

-- unit: not_null_1
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_1', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" ADD CONSTRAINT "users_encrypted_password_not_null" NOT NULL "encrypted_password";
ALTER TABLE "public"."users" DROP CONSTRAINT "migrator_not_null_1";
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_1', 'revert', false);
COMMIT;

-- unit: not_null_2_claim
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_2_claim', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" ADD CONSTRAINT "migrator_not_null_2" CHECK ("sign_in_count" IS NOT NULL) NOT VALID;
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_2_claim', 'revert', false);
COMMIT;

-- Fails with SQLSTATE 23514 when rows were written without a value meanwhile: give them one and go on.
-- unit: not_null_2_prove
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_2_prove', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" VALIDATE CONSTRAINT "migrator_not_null_2";
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_2_prove', 'revert', false);
COMMIT;

-- unit: not_null_2
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_2', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" ADD CONSTRAINT "users_sign_in_count_not_null" NOT NULL "sign_in_count";
ALTER TABLE "public"."users" DROP CONSTRAINT "migrator_not_null_2";
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_2', 'revert', false);
COMMIT;

-- unit: not_null_3_claim
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_3_claim', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" ADD CONSTRAINT "migrator_not_null_3" CHECK ("failed_attempts" IS NOT NULL) NOT VALID;
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_3_claim', 'revert', false);
COMMIT;

-- Fails with SQLSTATE 23514 when rows were written without a value meanwhile: give them one and go on.
-- unit: not_null_3_prove
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_3_prove', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" VALIDATE CONSTRAINT "migrator_not_null_3";
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_3_prove', 'revert', false);
COMMIT;

-- unit: not_null_3
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'not_null_3', 'revert', 'e2208e7bbcb1f0a4');
ALTER TABLE "public"."users" ADD CONSTRAINT "users_failed_attempts_not_null" NOT NULL "failed_attempts";
ALTER TABLE "public"."users" DROP CONSTRAINT "migrator_not_null_3";
SELECT migrator_guard.leave('10_loosen_columns', 'not_null_3', 'revert', false);
COMMIT;

-- unit: settle
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('10_loosen_columns', 'settle', 'revert', 'e2208e7bbcb1f0a4');
SELECT migrator_guard.leave('10_loosen_columns', 'settle', 'revert', true);
COMMIT;
