-- 05_quarantine_tables (revert), plan cded23f13854b98c, database shop
--
-- What:    Takes this step back: Moves the tables into the quarantine schema. Foreign keys, views and OIDs keep
--          working; whoever still uses an old name gets SQLSTATE 42P01.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Queries on these tables only.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 05_quarantine_tables
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-set-schema

-- unit: move
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('05_quarantine_tables', 'move', 'revert', 'cded23f13854b98c');
LOCK TABLE ONLY "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE ONLY "migrator_quarantine"."tokens" IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "migrator_quarantine"."scratch" IN ACCESS EXCLUSIVE MODE NOWAIT;

SELECT migrator_guard.expect('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'migrator_quarantine');
ALTER TABLE "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" SET SCHEMA "Odd Schema";
SELECT migrator_guard.expect('public', 'tokens', 'migrator_quarantine');
ALTER TABLE "migrator_quarantine"."tokens" SET SCHEMA "public";
SELECT migrator_guard.expect('public', 'scratch', 'migrator_quarantine');
ALTER TABLE "migrator_quarantine"."scratch" SET SCHEMA "public";
SELECT migrator_guard.leave('05_quarantine_tables', 'move', 'revert', true);
COMMIT;
