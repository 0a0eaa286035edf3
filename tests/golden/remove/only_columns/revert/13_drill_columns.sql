-- 13_drill_columns (revert), plan e2208e7bbcb1f0a4, database shop
--
-- What:    Takes this step back: Restores the files into a scratch schema, compares them with the recorded count and
--          checksum, drops the schema.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 13_drill_columns
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: forget
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('13_drill_columns', 'forget', 'revert', 'e2208e7bbcb1f0a4');
UPDATE migrator_guard.archive SET drilled_at = NULL WHERE name = 'users';
SELECT migrator_guard.leave('13_drill_columns', 'forget', 'revert', true);
COMMIT;
