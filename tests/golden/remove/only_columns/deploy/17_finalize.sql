-- 17_finalize (deploy), plan 0bf870411c731e40, database shop
--
-- What:    Removes what the removal itself made: the guard schema and the quarantine schema. What they knew is in
--          migrator's state and ledger.
-- Lock:    None on the application's objects.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    As long as the archive's files and their private key are kept; see `exceptions` in plan.json. Command:
--          migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-drop-function, ban-drop-schema, ban-drop-table

-- unit: finalize
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('17_finalize', 'finalize', 'deploy', '0bf870411c731e40');
-- The step log and the checksums of the archives are in the state and the ledger; the revert file brings the guard back.
DROP SCHEMA migrator_quarantine RESTRICT;
-- RESTRICT is the default: anything left in these schemas that is not ours stops this.
DROP FUNCTION migrator_guard.enter(text, text, text, text);
DROP FUNCTION migrator_guard.measure(text);
DROP FUNCTION migrator_guard.code_first();
DROP FUNCTION migrator_guard.unchanged();
DROP FUNCTION migrator_guard.shape_of(oid);
DROP FUNCTION migrator_guard.leave(text, text, text, boolean);
DROP FUNCTION migrator_guard.same(text, bigint, text, text);
DROP FUNCTION migrator_guard.equal(bigint, text, bigint, text, text);
DROP FUNCTION migrator_guard.expect(text, text, text);
DROP FUNCTION migrator_guard.rows_unchanged(bigint, text);
DROP FUNCTION migrator_guard.archived(text, text);
DROP FUNCTION migrator_guard.proven(text);
DROP FUNCTION migrator_guard.loaded(text);
DROP FUNCTION migrator_guard.unwritten(regclass, text, regclass);
DROP FUNCTION migrator_guard.before_archive();
DROP FUNCTION migrator_guard.nobody_screamed(interval);
DROP FUNCTION migrator_guard.unproven(text);
DROP FUNCTION migrator_guard.withdrawn(regclass, name[]);
DROP FUNCTION migrator_guard.may_use(name, oid);
DROP FUNCTION migrator_guard.block_write();
DROP FUNCTION migrator_guard.block_truncate();
DROP FUNCTION migrator_guard.approve_writer();
DROP FUNCTION migrator_guard.drop_tripwire(text, text);
DROP FUNCTION migrator_guard.strip_grants(regclass);
DROP FUNCTION migrator_guard.usable(regclass);
DROP FUNCTION migrator_guard.verified(boolean, text);
DROP FUNCTION migrator_guard.is_applied(text);
DROP FUNCTION migrator_guard.check_evidence(text, text);
DROP FUNCTION migrator_guard.check_lease();
DROP FUNCTION migrator_guard.lease_by_hand(text);
DROP FUNCTION migrator_guard.lease_back();
DROP FUNCTION migrator_guard.take_lease(text, double precision);
DROP FUNCTION migrator_guard.field(text);
DROP TABLE migrator_guard.orphan, migrator_guard.sequence_value, migrator_guard.writer, migrator_guard.inbound, migrator_guard.archive_chunk, migrator_guard.archive, migrator_guard.tripwire, migrator_guard.scream, migrator_guard.target, migrator_guard.unit,
    migrator_guard.step, migrator_guard.evidence, migrator_guard.lease, migrator_guard.plan;

DO $migrator$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'migrator_archive'::regnamespace) THEN
        DROP SCHEMA migrator_archive RESTRICT;
    END IF;
END
$migrator$;
DROP SCHEMA migrator_guard RESTRICT;
COMMIT;
