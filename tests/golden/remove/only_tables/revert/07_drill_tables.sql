-- 07_drill_tables (revert), plan 0c51166e68fb7b43, database shop
--
-- What:    Takes this step back: Restores the files into a scratch schema, compares them with the recorded count and
--          checksum, drops the schema.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 07_drill_tables
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: forget
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('07_drill_tables', 'forget', 'revert', '0c51166e68fb7b43');
UPDATE migrator_guard.archive SET drilled_at = NULL WHERE name = 'wörter "quoted" and long: 0123456789012345678901234567890';
UPDATE migrator_guard.archive SET drilled_at = NULL WHERE name = 'tokens';
UPDATE migrator_guard.archive SET drilled_at = NULL WHERE name = 'scratch';
SELECT migrator_guard.leave('07_drill_tables', 'forget', 'revert', true);
COMMIT;
