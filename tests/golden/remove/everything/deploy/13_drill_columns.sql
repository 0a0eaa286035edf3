-- 13_drill_columns (deploy), plan cded23f13854b98c, database shop
--
-- What:    Restores the files into a scratch schema, compares them with the recorded count and checksum, drops the
--          schema.
-- Lock:    None on the table.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- `migrator remove drill` has restored the files by now, compared them, and recorded that.
-- unit: drilled
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('13_drill_columns', 'drilled', 'deploy', 'cded23f13854b98c');
SELECT migrator_guard.proven('users');
SELECT migrator_guard.leave('13_drill_columns', 'drilled', 'deploy', true);
COMMIT;
