-- 07_drill_tables (deploy), plan 0c51166e68fb7b43, database shop
--
-- What:    Restores the files into a scratch schema, compares them with the recorded count and checksum, drops the
--          schema.
-- Lock:    None on the tables.
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
SELECT migrator_guard.enter('07_drill_tables', 'drilled', 'deploy', '0c51166e68fb7b43');
SELECT migrator_guard.proven('wörter "quoted" and long: 0123456789012345678901234567890');
SELECT migrator_guard.proven('tokens');
SELECT migrator_guard.proven('scratch');
SELECT migrator_guard.leave('07_drill_tables', 'drilled', 'deploy', true);
COMMIT;
