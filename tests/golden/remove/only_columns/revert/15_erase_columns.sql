-- 15_erase_columns (revert), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Takes this step back: Overwrites the quarantined columns with NULL, in batches. Old versions of the rows
--          stay in their blocks until the table is written anew (the setting erase = "rewrite" does that here), and in
--          WAL, replicas and backups until those rotate.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Writers of the same rows for the time of a batch.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 15_erase_columns
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-drop-table

-- unit: loaded
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('15_erase_columns', 'loaded', 'revert', 'e2208e7bbcb1f0a4');
SELECT migrator_guard.loaded('users');
SELECT migrator_guard.leave('15_erase_columns', 'loaded', 'revert', false);
COMMIT;

-- unit: fill
-- 1000 rows per transaction; begun again it writes the same values again. Not for a transaction block.
DO $migrator$
DECLARE
    last_row bigint := (SELECT coalesce(max(migrator_row), 0) FROM "migrator_archive"."users");
    first_row bigint := 1;
BEGIN
    WHILE first_row <= last_row LOOP
        PERFORM set_config('lock_timeout', '200ms', true);
        PERFORM migrator_guard.enter('15_erase_columns', 'fill', 'revert', 'e2208e7bbcb1f0a4');
        PERFORM migrator_guard.approve_writer();
        UPDATE "public"."users" AS u SET "migrator_q_sign_in_count" = a."sign_in_count", "migrator_q_failed_attempts" = a."failed_attempts", "migrator_q_current_sign_in_ip" = a."current_sign_in_ip", "migrator_q_confirmed_at" = a."confirmed_at", "migrator_q_encrypted_password" = '$2a$12$' || left(replace(gen_random_uuid()::text, '-', ''), 21) || '.' || repeat('.', 31), "migrator_q_reset_password_token" = NULL
        FROM "migrator_archive"."users" AS a
        WHERE a.migrator_row BETWEEN first_row AND first_row + 999 AND u."id" = a."id";
        COMMIT;
        first_row := first_row + 1000;
    END LOOP;
    PERFORM migrator_guard.leave('15_erase_columns', 'fill', 'revert', false);
END
$migrator$;

-- unit: later_rows
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('15_erase_columns', 'later_rows', 'revert', 'e2208e7bbcb1f0a4');
SELECT migrator_guard.approve_writer();
UPDATE "public"."users" AS u SET "migrator_q_encrypted_password" = '$2a$12$' || left(replace(gen_random_uuid()::text, '-', ''), 21) || '.' || repeat('.', 31)
WHERE u."migrator_q_encrypted_password" IS NULL AND NOT EXISTS (SELECT FROM "migrator_archive"."users" AS a WHERE u."id" = a."id");
SELECT migrator_guard.leave('15_erase_columns', 'later_rows', 'revert', false);
COMMIT;

-- unit: compare
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('15_erase_columns', 'compare', 'revert', 'e2208e7bbcb1f0a4');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.equal(l.rows, l.sha256, k.rows, k.sha256, 'the restored columns of public.users') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(u."id"::text)
              || migrator_guard.field(u."migrator_q_sign_in_count"::text)
              || migrator_guard.field(u."migrator_q_failed_attempts"::text)
              || migrator_guard.field(u."migrator_q_current_sign_in_ip"::text)
              || migrator_guard.field(u."migrator_q_confirmed_at"::text), 'UTF8')) AS h
          FROM "migrator_archive"."users" AS a JOIN "public"."users" AS u ON u."id" = a."id") AS r) AS l, (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(a."id"::text)
              || migrator_guard.field(a."sign_in_count"::text)
              || migrator_guard.field(a."failed_attempts"::text)
              || migrator_guard.field(a."current_sign_in_ip"::text)
              || migrator_guard.field(a."confirmed_at"::text), 'UTF8')) AS h
          FROM "migrator_archive"."users" AS a JOIN "public"."users" AS u ON u."id" = a."id") AS r) AS k;
SELECT migrator_guard.leave('15_erase_columns', 'compare', 'revert', false);
COMMIT;

-- unit: settle
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('15_erase_columns', 'settle', 'revert', 'e2208e7bbcb1f0a4');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
DO $migrator$
BEGIN
    IF to_regclass('migrator_guard."rows_users"') IS NOT NULL THEN
        DROP TABLE migrator_guard."rows_users" RESTRICT;
    END IF;
END
$migrator$;
CREATE TABLE migrator_guard."rows_users" AS
SELECT a."id", sha256(convert_to(
              migrator_guard.field(a."id"::text)
              || migrator_guard.field(a."sign_in_count"::text)
              || migrator_guard.field(a."failed_attempts"::text)
              || migrator_guard.field(a."current_sign_in_ip"::text)
              || migrator_guard.field(a."confirmed_at"::text), 'UTF8')) AS sha256 FROM "migrator_archive"."users" AS a;
DROP TABLE "migrator_archive"."users" RESTRICT;
SELECT migrator_guard.leave('15_erase_columns', 'settle', 'revert', true);
COMMIT;
