-- 08_write_block_tables (deploy), plan cded23f13854b98c, database shop
--
-- What:    Blocks writes to the quarantined tables, then compares them with their archive in one snapshot each.
-- Lock:    SHARE ROW EXCLUSIVE on each quarantined table for a moment (trigger), then ACCESS SHARE.
-- Blocks:  Writes to these tables. From here to the end of the next step deleting a user whose rows would go by ON
--          DELETE CASCADE fails with SQLSTATE 55000: run the next step soon.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- unit: block_1
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('08_write_block_tables', 'block_1', 'deploy', 'cded23f13854b98c');
LOCK TABLE ONLY "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN SHARE ROW EXCLUSIVE MODE;
SELECT migrator_guard.expect('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'migrator_quarantine');
CREATE SEQUENCE migrator_guard."rejected_wörter ""quoted"" and long: 012345678901234567_1e20d87f";
CREATE TRIGGER migrator_guard_block BEFORE INSERT OR UPDATE OR DELETE ON "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"
    FOR EACH ROW EXECUTE FUNCTION migrator_guard.block_write('rejected_wörter "quoted" and long: 012345678901234567_1e20d87f');
ALTER TABLE "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" ENABLE ALWAYS TRIGGER migrator_guard_block;
SELECT migrator_guard.leave('08_write_block_tables', 'block_1', 'deploy', false);
COMMIT;

-- unit: compare_1
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('08_write_block_tables', 'compare_1', 'deploy', 'cded23f13854b98c');
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
SELECT migrator_guard.leave('08_write_block_tables', 'compare_1', 'deploy', false);
COMMIT;

-- unit: block_2
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('08_write_block_tables', 'block_2', 'deploy', 'cded23f13854b98c');
LOCK TABLE ONLY "migrator_quarantine"."tokens" IN SHARE ROW EXCLUSIVE MODE;
SELECT migrator_guard.expect('public', 'tokens', 'migrator_quarantine');
CREATE SEQUENCE migrator_guard."rejected_tokens";
CREATE TRIGGER migrator_guard_block BEFORE INSERT OR UPDATE OR DELETE ON "migrator_quarantine"."tokens"
    FOR EACH ROW EXECUTE FUNCTION migrator_guard.block_write('rejected_tokens');
ALTER TABLE "migrator_quarantine"."tokens" ENABLE ALWAYS TRIGGER migrator_guard_block;
SELECT migrator_guard.leave('08_write_block_tables', 'block_2', 'deploy', false);
COMMIT;

-- unit: compare_2
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('08_write_block_tables', 'compare_2', 'deploy', 'cded23f13854b98c');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.same('tokens', d.rows, d.sha256, 'table public.tokens') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(t."kind"::text)
              || migrator_guard.field(t."id"::text)
              || migrator_guard.field(t."word"::text), 'UTF8')) AS h
          FROM ONLY "migrator_quarantine"."tokens" AS t) AS r) AS d;
UPDATE migrator_guard.archive SET compared_at = clock_timestamp() WHERE name = 'tokens';
SELECT migrator_guard.leave('08_write_block_tables', 'compare_2', 'deploy', false);
COMMIT;

-- unit: block_3
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('08_write_block_tables', 'block_3', 'deploy', 'cded23f13854b98c');
LOCK TABLE ONLY "migrator_quarantine"."scratch" IN SHARE ROW EXCLUSIVE MODE;
SELECT migrator_guard.expect('public', 'scratch', 'migrator_quarantine');
CREATE SEQUENCE migrator_guard."rejected_scratch";
CREATE TRIGGER migrator_guard_block BEFORE INSERT OR UPDATE OR DELETE ON "migrator_quarantine"."scratch"
    FOR EACH ROW EXECUTE FUNCTION migrator_guard.block_write('rejected_scratch');
ALTER TABLE "migrator_quarantine"."scratch" ENABLE ALWAYS TRIGGER migrator_guard_block;
SELECT migrator_guard.leave('08_write_block_tables', 'block_3', 'deploy', false);
COMMIT;

-- unit: compare_3
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('08_write_block_tables', 'compare_3', 'deploy', 'cded23f13854b98c');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.same('scratch', d.rows, d.sha256, 'table public.scratch') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(t."a"::text)
              || migrator_guard.field(t."b"::text)
              || migrator_guard.field(t."c"::text), 'UTF8')) AS h
          FROM ONLY "migrator_quarantine"."scratch" AS t) AS r) AS d;
UPDATE migrator_guard.archive SET compared_at = clock_timestamp() WHERE name = 'scratch';
SELECT migrator_guard.leave('08_write_block_tables', 'compare_3', 'deploy', true);
COMMIT;
