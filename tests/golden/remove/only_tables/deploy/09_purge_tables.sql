-- 09_purge_tables (deploy), plan 0c51166e68fb7b43, database shop
--
-- What:    Compares the tables with their archive, then drops them in one transaction.
-- Lock:    ACCESS EXCLUSIVE on the tables, on those they point to and on those that point to them, for a change of the
--          catalog (milliseconds).
-- Blocks:  Queries on these tables while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    As long as the archive's files and their private key are kept; see `exceptions` in plan.json. Command:
--          migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-drop-table, ban-drop-sequence, ban-drop-constraint

-- Reading only, and each time anew: the drop below accepts a comparison of the last 15 minutes.
-- always: compare
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'compare', 'deploy', '0c51166e68fb7b43');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.same('wörter "quoted" and long: 0123456789012345678901234567890', d.rows, d.sha256, 'table Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(t."order"::text)
              || migrator_guard.field(t."Größe"::text)
              || migrator_guard.field(t."doc"::text)
              || migrator_guard.field(t."m"::text)
              || migrator_guard.field(t."d"::text)
              || migrator_guard.field(t."tags"::text)
              || migrator_guard.field(t."raw"::text)
              || migrator_guard.field(t."span"::text)
              || migrator_guard.field(t."at"::text)
              || migrator_guard.field(t."owner_id"::text)
              || migrator_guard.field(t."parent"::text)
              || migrator_guard.field(t."note"::text)
              || migrator_guard.field(t."token_kind"::text)
              || migrator_guard.field(t."token_id"::text), 'UTF8')) AS h
          FROM ONLY "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" AS t) AS r) AS d;
UPDATE migrator_guard.archive SET compared_at = clock_timestamp() WHERE name = 'wörter "quoted" and long: 0123456789012345678901234567890';
SELECT migrator_guard.same('tokens', d.rows, d.sha256, 'table public.tokens') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(t."kind"::text)
              || migrator_guard.field(t."id"::text)
              || migrator_guard.field(t."word"::text), 'UTF8')) AS h
          FROM ONLY "migrator_quarantine"."tokens" AS t) AS r) AS d;
UPDATE migrator_guard.archive SET compared_at = clock_timestamp() WHERE name = 'tokens';
SELECT migrator_guard.same('scratch', d.rows, d.sha256, 'table public.scratch') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(t."a"::text)
              || migrator_guard.field(t."b"::text)
              || migrator_guard.field(t."c"::text), 'UTF8')) AS h
          FROM ONLY "migrator_quarantine"."scratch" AS t) AS r) AS d;
UPDATE migrator_guard.archive SET compared_at = clock_timestamp() WHERE name = 'scratch';
COMMIT;

-- unit: drop
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'drop', 'deploy', '0c51166e68fb7b43');
-- The busiest first, and the only one that is waited for.
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE ONLY "public"."stays" IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "migrator_quarantine"."tokens" IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "migrator_quarantine"."scratch" IN ACCESS EXCLUSIVE MODE NOWAIT;

SELECT migrator_guard.expect('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'migrator_quarantine');
SELECT migrator_guard.unwritten('"migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass, 'wörter "quoted" and long: 0123456789012345678901234567890', 'migrator_guard."rejected_wörter ""quoted"" and long: 012345678901234567_1e20d87f"'::regclass);
SELECT migrator_guard.proven('wörter "quoted" and long: 0123456789012345678901234567890');
INSERT INTO migrator_guard.sequence_value (schema_name, name, last_value, is_called)
SELECT 'Odd Schema', 'Zähler; -- "1"', last_value, is_called FROM "migrator_quarantine"."Zähler; -- ""1""";
SELECT migrator_guard.expect('public', 'tokens', 'migrator_quarantine');
SELECT migrator_guard.unwritten('"migrator_quarantine"."tokens"'::regclass, 'tokens', 'migrator_guard."rejected_tokens"'::regclass);
SELECT migrator_guard.proven('tokens');
INSERT INTO migrator_guard.sequence_value (schema_name, name, last_value, is_called)
SELECT 'public', 'tokens_id_seq', last_value, is_called FROM "migrator_quarantine"."tokens_id_seq";
SELECT migrator_guard.expect('public', 'scratch', 'migrator_quarantine');
SELECT migrator_guard.unwritten('"migrator_quarantine"."scratch"'::regclass, 'scratch', 'migrator_guard."rejected_scratch"'::regclass);
SELECT migrator_guard.proven('scratch');
ALTER TABLE "public"."stays" DROP CONSTRAINT "to tokens";
SELECT migrator_guard.drop_tripwire('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890');
SELECT migrator_guard.drop_tripwire('public', 'tokens');
SELECT migrator_guard.drop_tripwire('public', 'scratch');
DROP TABLE "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890", "migrator_quarantine"."tokens", "migrator_quarantine"."scratch" RESTRICT;
DROP SEQUENCE migrator_guard."rejected_wörter ""quoted"" and long: 012345678901234567_1e20d87f" RESTRICT;
DROP SEQUENCE migrator_guard."rejected_tokens" RESTRICT;
DROP SEQUENCE migrator_guard."rejected_scratch" RESTRICT;
SELECT migrator_guard.leave('09_purge_tables', 'drop', 'deploy', true);
COMMIT;
