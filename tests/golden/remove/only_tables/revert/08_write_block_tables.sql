-- 08_write_block_tables (revert), plan 0c51166e68fb7b43, database shop
--
-- What:    Takes this step back: Blocks writes to the quarantined tables, then compares them with their archive in one
--          snapshot each.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Writes to these tables. From here to the end of the next step deleting a user whose rows would go by ON
--          DELETE CASCADE fails with SQLSTATE 55000: run the next step soon.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 08_write_block_tables
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-drop-sequence

-- The step may have stopped half-way: what is not there is skipped, what is there must go.
-- unit: unblock
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('08_write_block_tables', 'unblock', 'revert', '0c51166e68fb7b43');
LOCK TABLE ONLY "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE ONLY "migrator_quarantine"."tokens" IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "migrator_quarantine"."scratch" IN ACCESS EXCLUSIVE MODE NOWAIT;

SELECT migrator_guard.expect('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'migrator_quarantine');
DO $migrator$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass AND tgname = 'migrator_guard_block') THEN
        DROP TRIGGER migrator_guard_block ON "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890";
        DROP SEQUENCE migrator_guard."rejected_wörter ""quoted"" and long: 012345678901234567_1e20d87f";
    END IF;
END
$migrator$;
SELECT migrator_guard.expect('public', 'tokens', 'migrator_quarantine');
DO $migrator$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"migrator_quarantine"."tokens"'::regclass AND tgname = 'migrator_guard_block') THEN
        DROP TRIGGER migrator_guard_block ON "migrator_quarantine"."tokens";
        DROP SEQUENCE migrator_guard."rejected_tokens";
    END IF;
END
$migrator$;
SELECT migrator_guard.expect('public', 'scratch', 'migrator_quarantine');
DO $migrator$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"migrator_quarantine"."scratch"'::regclass AND tgname = 'migrator_guard_block') THEN
        DROP TRIGGER migrator_guard_block ON "migrator_quarantine"."scratch";
        DROP SEQUENCE migrator_guard."rejected_scratch";
    END IF;
END
$migrator$;
SELECT migrator_guard.leave('08_write_block_tables', 'unblock', 'revert', true);
COMMIT;
