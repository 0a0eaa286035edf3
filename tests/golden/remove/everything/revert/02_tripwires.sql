-- 02_tripwires (revert), plan cded23f13854b98c, database shop
--
-- What:    Takes this step back: Ties each table to a view in the guard schema and puts a trigger before TRUNCATE: a
--          stray DROP TABLE fails with SQLSTATE 2BP01, a TRUNCATE with 55000. DROP TABLE … CASCADE is not stopped by
--          this.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Writes to these tables while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 02_tripwires
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: unset
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('02_tripwires', 'unset', 'revert', 'cded23f13854b98c');
LOCK TABLE ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE ONLY "public"."tokens" IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "public"."scratch" IN ACCESS EXCLUSIVE MODE NOWAIT;

SELECT migrator_guard.drop_tripwire('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890');
SELECT migrator_guard.drop_tripwire('public', 'tokens');
SELECT migrator_guard.drop_tripwire('public', 'scratch');
SELECT migrator_guard.leave('02_tripwires', 'unset', 'revert', true);
COMMIT;
