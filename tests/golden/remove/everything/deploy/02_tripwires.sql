-- 02_tripwires (deploy), plan cded23f13854b98c, database shop
--
-- What:    Ties each table to a view in the guard schema and puts a trigger before TRUNCATE: a stray DROP TABLE fails
--          with SQLSTATE 2BP01, a TRUNCATE with 55000. DROP TABLE … CASCADE is not stopped by this.
-- Lock:    SHARE ROW EXCLUSIVE on the tables for a moment (trigger).
-- Blocks:  Writes to these tables while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: set
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('02_tripwires', 'set', 'deploy', 'cded23f13854b98c');
LOCK TABLE ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE ONLY "public"."tokens" IN SHARE ROW EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "public"."scratch" IN SHARE ROW EXCLUSIVE MODE NOWAIT;

SELECT migrator_guard.expect('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'Odd Schema');
CREATE VIEW migrator_guard."tripwire_wörter ""quoted"" and long: 012345678901234567_6e811bb9" AS SELECT 1 AS held FROM ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890";
CREATE TRIGGER migrator_guard_truncate BEFORE TRUNCATE ON "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"
    FOR EACH STATEMENT EXECUTE FUNCTION migrator_guard.block_truncate();
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ENABLE ALWAYS TRIGGER migrator_guard_truncate;
INSERT INTO migrator_guard.tripwire (schema_name, table_name, view_oid, trigger_oid)
SELECT 'Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'migrator_guard."tripwire_wörter ""quoted"" and long: 012345678901234567_6e811bb9"'::regclass, oid
FROM pg_trigger WHERE tgrelid = '"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass AND tgname = 'migrator_guard_truncate';
SELECT migrator_guard.expect('public', 'tokens', 'public');
CREATE VIEW migrator_guard."tripwire_tokens" AS SELECT 1 AS held FROM ONLY "public"."tokens";
CREATE TRIGGER migrator_guard_truncate BEFORE TRUNCATE ON "public"."tokens"
    FOR EACH STATEMENT EXECUTE FUNCTION migrator_guard.block_truncate();
ALTER TABLE "public"."tokens" ENABLE ALWAYS TRIGGER migrator_guard_truncate;
INSERT INTO migrator_guard.tripwire (schema_name, table_name, view_oid, trigger_oid)
SELECT 'public', 'tokens', 'migrator_guard."tripwire_tokens"'::regclass, oid
FROM pg_trigger WHERE tgrelid = '"public"."tokens"'::regclass AND tgname = 'migrator_guard_truncate';
SELECT migrator_guard.expect('public', 'scratch', 'public');
CREATE VIEW migrator_guard."tripwire_scratch" AS SELECT 1 AS held FROM ONLY "public"."scratch";
CREATE TRIGGER migrator_guard_truncate BEFORE TRUNCATE ON "public"."scratch"
    FOR EACH STATEMENT EXECUTE FUNCTION migrator_guard.block_truncate();
ALTER TABLE "public"."scratch" ENABLE ALWAYS TRIGGER migrator_guard_truncate;
INSERT INTO migrator_guard.tripwire (schema_name, table_name, view_oid, trigger_oid)
SELECT 'public', 'scratch', 'migrator_guard."tripwire_scratch"'::regclass, oid
FROM pg_trigger WHERE tgrelid = '"public"."scratch"'::regclass AND tgname = 'migrator_guard_truncate';
SELECT migrator_guard.leave('02_tripwires', 'set', 'deploy', true);
COMMIT;
