-- 05_quarantine_tables (deploy), plan cded23f13854b98c, database shop
--
-- What:    Moves the tables into the quarantine schema. Foreign keys, views and OIDs keep working; whoever still uses
--          an old name gets SQLSTATE 42P01.
-- Lock:    ACCESS EXCLUSIVE on the tables themselves, for a change of the catalog (milliseconds).
-- Blocks:  Queries on these tables only.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-set-schema

-- unit: move
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('05_quarantine_tables', 'move', 'deploy', 'cded23f13854b98c');
SELECT migrator_guard.nobody_screamed(interval '604800 seconds');
LOCK TABLE ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE ONLY "public"."tokens" IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "public"."scratch" IN ACCESS EXCLUSIVE MODE NOWAIT;

SELECT migrator_guard.expect('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'Odd Schema');
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" SET SCHEMA migrator_quarantine;
SELECT migrator_guard.expect('public', 'tokens', 'public');
ALTER TABLE "public"."tokens" SET SCHEMA migrator_quarantine;
SELECT migrator_guard.expect('public', 'scratch', 'public');
ALTER TABLE "public"."scratch" SET SCHEMA migrator_quarantine;
SELECT migrator_guard.leave('05_quarantine_tables', 'move', 'deploy', true);
COMMIT;
