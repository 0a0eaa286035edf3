-- 12_archive_columns (deploy), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Writes the renamed columns with the primary key to encrypted files in one snapshot and records count and
--          checksum.
-- Lock:    ACCESS SHARE on the users table.
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
SELECT migrator_guard.enter('12_archive_columns', 'recorded', 'deploy', 'e2208e7bbcb1f0a4');
SELECT migrator_guard.archived('users', '12_archive_columns');
SELECT migrator_guard.leave('12_archive_columns', 'recorded', 'deploy', true);
COMMIT;
