-- 01_guard (revert), plan 0bf870411c731e40, database shop
--
-- What:    Takes this step back: Makes the schemas of this removal: guard (lease, evidence, step log), quarantine and
--          archive.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 01_guard
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: it is this file's purpose, behind lease, gates, evidence and a way back.
-- squawk-ignore-file ban-drop-function, ban-drop-schema, ban-drop-table

-- unit: guard
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('01_guard', 'guard', 'revert', '0bf870411c731e40');
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
DROP SCHEMA migrator_archive;
DROP SCHEMA migrator_quarantine;
DROP SCHEMA migrator_guard;
COMMIT;
