-- 12_archive_columns (revert), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Takes this step back: Writes the renamed columns with the primary key to encrypted files in one snapshot and
--          records count and checksum.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 12_archive_columns
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-drop-table

-- The files themselves are removed by `migrator remove revert`.
-- unit: forget
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('12_archive_columns', 'forget', 'revert', 'e2208e7bbcb1f0a4');
DELETE FROM migrator_guard.archive_chunk WHERE name = 'users';
DELETE FROM migrator_guard.archive WHERE name = 'users';
DO $migrator$
BEGIN
    IF to_regclass('migrator_guard."rows_users"') IS NOT NULL THEN
        DROP TABLE migrator_guard."rows_users" RESTRICT;
    END IF;
END
$migrator$;
SELECT migrator_guard.leave('12_archive_columns', 'forget', 'revert', true);
COMMIT;
