-- 06_archive_tables (deploy), plan 0c51166e68fb7b43, database shop
--
-- What:    Writes the quarantined tables to encrypted files in one snapshot and records count and checksum.
-- Lock:    ACCESS SHARE on the quarantined tables.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; the files are removed. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- `migrator` has written the files by now, in one snapshot, and recorded them here: nothing but that is asked.
-- unit: recorded
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('06_archive_tables', 'recorded', 'deploy', '0c51166e68fb7b43');
SELECT migrator_guard.archived('wörter "quoted" and long: 0123456789012345678901234567890', '06_archive_tables');
SELECT migrator_guard.archived('tokens', '06_archive_tables');
SELECT migrator_guard.archived('scratch', '06_archive_tables');
SELECT migrator_guard.leave('06_archive_tables', 'recorded', 'deploy', true);
COMMIT;
