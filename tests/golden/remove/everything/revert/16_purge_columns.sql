-- 16_purge_columns (revert), plan cded23f13854b98c, database shop
--
-- What:    Takes this step back: Compares the columns with their archive, then drops them in one transaction.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Queries on these tables while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 16_purge_columns
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: NOT NULL is proven by a validated check, unique constraints take an index
--          that is there; what comes back has to be as it was, old types and serial columns included.
-- squawk-ignore-file renaming-column, ban-drop-constraint, ban-drop-table, adding-not-nullable-field, constraint-missing-not-valid, disallowed-unique-constraint, prefer-timestamp-tz, prefer-bigint-over-int, prefer-bigint-over-smallint, prefer-text-field, prefer-identity, ban-char-field

-- The columns come back and are filled under their quarantined names: an application that found
-- an empty confirmed_at would refuse everybody. Their old names, which indexes and constraints are
-- written with, they have only once they are full, and give them up again at the end.
-- unit: add
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'add', 'revert', 'cded23f13854b98c');
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
SELECT migrator_guard.expect('public', 'users', 'public');
ALTER TABLE "public"."users"
    ADD COLUMN "migrator_q_encrypted_password" character varying(128) COLLATE pg_catalog."C",
    ADD COLUMN "migrator_q_sign_in_count" integer,
    ADD COLUMN "migrator_q_reset_password_token" character varying,
    ADD COLUMN "migrator_q_confirmation_token" character varying,
    ADD COLUMN "migrator_q_failed_attempts" integer,
    ADD COLUMN "migrator_q_current_sign_in_ip" inet,
    ADD COLUMN "migrator_q_confirmed_at" timestamp without time zone;
ALTER TABLE ONLY "public"."users" ALTER COLUMN "migrator_q_encrypted_password" SET STORAGE EXTERNAL;
ALTER TABLE ONLY "public"."users" ALTER COLUMN "migrator_q_encrypted_password" SET STATISTICS 7;
COMMENT ON COLUMN "public"."users"."migrator_q_encrypted_password" IS E'what''s "here" \\ is secret';
GRANT SELECT ("migrator_q_sign_in_count"), UPDATE ("migrator_q_sign_in_count") ON "public"."users" TO "a role";
ALTER TABLE ONLY "public"."users" ALTER COLUMN "migrator_q_current_sign_in_ip" SET (n_distinct=-0.5);
SELECT migrator_guard.leave('16_purge_columns', 'add', 'revert', false);
COMMIT;

-- unit: unveil
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'unveil', 'revert', 'cded23f13854b98c');
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_encrypted_password" TO "encrypted_password";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_sign_in_count" TO "sign_in_count";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_reset_password_token" TO "reset_password_token";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_confirmation_token" TO "confirmation_token";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_failed_attempts" TO "failed_attempts";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_current_sign_in_ip" TO "current_sign_in_ip";
ALTER TABLE "public"."users" RENAME COLUMN "migrator_q_confirmed_at" TO "confirmed_at";
SELECT migrator_guard.leave('16_purge_columns', 'unveil', 'revert', false);
COMMIT;

-- A build that was interrupted leaves an invalid index: it goes first.
-- always: clear_index_1
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'clear_index_1', 'revert', 'cded23f13854b98c');
DO $migrator$
BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('"public"."by_ip_and_name"') AND NOT indisvalid) THEN
        DROP INDEX "public"."by_ip_and_name";
    END IF;
END
$migrator$;
COMMIT;

-- always: index_1
CREATE INDEX CONCURRENTLY IF NOT EXISTS by_ip_and_name ON public.users USING btree (current_sign_in_ip, name DESC NULLS LAST) WITH (fillfactor='70');

-- A build that was interrupted leaves an invalid index: it goes first.
-- always: clear_index_2
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'clear_index_2', 'revert', 'cded23f13854b98c');
DO $migrator$
BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('"public"."by_token"') AND NOT indisvalid) THEN
        DROP INDEX "public"."by_token";
    END IF;
END
$migrator$;
COMMIT;

-- always: index_2
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS by_token ON public.users USING btree (lower((confirmation_token)::text)) WHERE (confirmed_at IS NULL);

-- A build that was interrupted leaves an invalid index: it goes first.
-- always: clear_index_3
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'clear_index_3', 'revert', 'cded23f13854b98c');
DO $migrator$
BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('"public"."one_token"') AND NOT indisvalid) THEN
        DROP INDEX "public"."one_token";
    END IF;
END
$migrator$;
COMMIT;

-- always: index_3
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one_token ON public.users USING btree (reset_password_token, name);

-- unit: constraint_1
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'constraint_1', 'revert', 'cded23f13854b98c');
ALTER TABLE "public"."users" ADD CONSTRAINT "one_token" UNIQUE USING INDEX "one_token";
COMMENT ON CONSTRAINT "one_token" ON "public"."users" IS 'pairs';
SELECT migrator_guard.leave('16_purge_columns', 'constraint_1', 'revert', false);
COMMIT;

-- unit: constraint_2
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'constraint_2', 'revert', 'cded23f13854b98c');
ALTER TABLE "public"."users" ADD CONSTRAINT "token_is_long" CHECK ((length((confirmation_token)::text) > 3)) NOT VALID;
SELECT migrator_guard.leave('16_purge_columns', 'constraint_2', 'revert', false);
COMMIT;

-- unit: constraint_2_check
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'constraint_2_check', 'revert', 'cded23f13854b98c');
ALTER TABLE "public"."users" VALIDATE CONSTRAINT "token_is_long";
SELECT migrator_guard.leave('16_purge_columns', 'constraint_2_check', 'revert', false);
COMMIT;

-- unit: rename
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'rename', 'revert', 'cded23f13854b98c');
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
COMMENT ON INDEX "public"."by_token" IS 'open confirmations';
SELECT migrator_guard.usable('"public"."by_ip_and_name"'::regclass);
SELECT migrator_guard.usable('"public"."by_token"'::regclass);
SELECT migrator_guard.usable('"public"."one_token"'::regclass);
ALTER TABLE "public"."users" RENAME COLUMN "encrypted_password" TO "migrator_q_encrypted_password";
ALTER TABLE "public"."users" RENAME COLUMN "sign_in_count" TO "migrator_q_sign_in_count";
ALTER TABLE "public"."users" RENAME COLUMN "reset_password_token" TO "migrator_q_reset_password_token";
ALTER TABLE "public"."users" RENAME COLUMN "confirmation_token" TO "migrator_q_confirmation_token";
ALTER TABLE "public"."users" RENAME COLUMN "failed_attempts" TO "migrator_q_failed_attempts";
ALTER TABLE "public"."users" RENAME COLUMN "current_sign_in_ip" TO "migrator_q_current_sign_in_ip";
ALTER TABLE "public"."users" RENAME COLUMN "confirmed_at" TO "migrator_q_confirmed_at";
CREATE SEQUENCE migrator_guard."rejected_users";
CREATE TRIGGER migrator_guard_block BEFORE UPDATE ON "public"."users"
    FOR EACH ROW WHEN (
        OLD."migrator_q_encrypted_password"::text IS DISTINCT FROM NEW."migrator_q_encrypted_password"::text
        OR OLD."migrator_q_sign_in_count"::text IS DISTINCT FROM NEW."migrator_q_sign_in_count"::text
        OR OLD."migrator_q_reset_password_token"::text IS DISTINCT FROM NEW."migrator_q_reset_password_token"::text
        OR OLD."migrator_q_confirmation_token"::text IS DISTINCT FROM NEW."migrator_q_confirmation_token"::text
        OR OLD."migrator_q_failed_attempts"::text IS DISTINCT FROM NEW."migrator_q_failed_attempts"::text
        OR OLD."migrator_q_current_sign_in_ip"::text IS DISTINCT FROM NEW."migrator_q_current_sign_in_ip"::text
        OR OLD."migrator_q_confirmed_at"::text IS DISTINCT FROM NEW."migrator_q_confirmed_at"::text)
    EXECUTE FUNCTION migrator_guard.block_write('rejected_users');
ALTER TABLE "public"."users" ENABLE ALWAYS TRIGGER migrator_guard_block;
SELECT migrator_guard.leave('16_purge_columns', 'rename', 'revert', true);
COMMIT;
