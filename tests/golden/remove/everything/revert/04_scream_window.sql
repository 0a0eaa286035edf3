-- 04_scream_window (revert), plan cded23f13854b98c, database shop
--
-- What:    Takes this step back: Waits until nobody was refused for a while: the command reads SQLSTATE 42501, 42P01,
--          42703 and 0A000 from the server's log, and plants a refusal of its own each time, which has to be found
--          there.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 04_scream_window
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: forget
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('04_scream_window', 'forget', 'revert', 'cded23f13854b98c');
DELETE FROM migrator_guard.scream;
SELECT migrator_guard.leave('04_scream_window', 'forget', 'revert', true);
COMMIT;
