-- 06_archive_tables (revert), plan 0c51166e68fb7b43, database shop
--
-- What:    Takes this step back: Writes the quarantined tables to encrypted files in one snapshot and records count and
--          checksum.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 06_archive_tables
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- The files themselves are removed by `migrator remove revert`.
-- unit: forget
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('06_archive_tables', 'forget', 'revert', '0c51166e68fb7b43');
DELETE FROM migrator_guard.archive_chunk WHERE name = 'wörter "quoted" and long: 0123456789012345678901234567890';
DELETE FROM migrator_guard.archive WHERE name = 'wörter "quoted" and long: 0123456789012345678901234567890';
DELETE FROM migrator_guard.archive_chunk WHERE name = 'tokens';
DELETE FROM migrator_guard.archive WHERE name = 'tokens';
DELETE FROM migrator_guard.archive_chunk WHERE name = 'scratch';
DELETE FROM migrator_guard.archive WHERE name = 'scratch';
SELECT migrator_guard.leave('06_archive_tables', 'forget', 'revert', true);
COMMIT;
