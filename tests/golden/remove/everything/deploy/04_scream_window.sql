-- 04_scream_window (deploy), plan cded23f13854b98c, database shop
--
-- What:    Waits until nobody was refused for a while: the command reads SQLSTATE 42501, 42P01, 42703 and 0A000 from
--          the server's log, and plants a refusal of its own each time, which has to be found there.
-- Lock:    None.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: open
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('04_scream_window', 'open', 'deploy', 'cded23f13854b98c');
INSERT INTO migrator_guard.scream DEFAULT VALUES;
SELECT migrator_guard.leave('04_scream_window', 'open', 'deploy', false);
COMMIT;

-- unit: close
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('04_scream_window', 'close', 'deploy', 'cded23f13854b98c');
SELECT migrator_guard.nobody_screamed(interval '604800 seconds');
SELECT migrator_guard.leave('04_scream_window', 'close', 'deploy', true);
COMMIT;
