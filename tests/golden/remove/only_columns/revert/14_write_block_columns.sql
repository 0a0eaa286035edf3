-- 14_write_block_columns (revert), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Takes this step back: Blocks writes to the renamed columns, then compares them with their archive by primary
--          key.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Updates of the quarantined columns; all other work on the table goes on.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 14_write_block_columns
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
SELECT migrator_guard.enter('14_write_block_columns', 'unblock', 'revert', 'e2208e7bbcb1f0a4');
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
SELECT migrator_guard.expect('public', 'users', 'public');
DO $migrator$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"public"."users"'::regclass AND tgname = 'migrator_guard_block') THEN
        DROP TRIGGER migrator_guard_block ON "public"."users";
        DROP SEQUENCE migrator_guard."rejected_users";
    END IF;
END
$migrator$;
SELECT migrator_guard.leave('14_write_block_columns', 'unblock', 'revert', true);
COMMIT;
