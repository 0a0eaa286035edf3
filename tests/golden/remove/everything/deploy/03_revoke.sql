-- 03_revoke (deploy), plan cded23f13854b98c, database shop
--
-- What:    Takes the tables away from the application's roles: whoever still uses them gets SQLSTATE 42501. Where one
--          of these roles owns a table, the table goes to a guard role first; foreign keys go on working.
-- Lock:    None to revoke; ACCESS EXCLUSIVE on tables that change their owner, for a change of the catalog
--          (milliseconds).
-- Blocks:  Nobody but those roles; queries on a table that changes its owner while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, a pg_dump is the same byte for byte. Command: migrator remove revert
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: withdraw
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('03_revoke', 'withdraw', 'deploy', 'cded23f13854b98c');
LOCK TABLE ONLY "public"."tokens" IN ACCESS EXCLUSIVE MODE;

SELECT migrator_guard.expect('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'Odd Schema');
REVOKE ALL ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" FROM PUBLIC;
REVOKE ALL ON SEQUENCE "Odd Schema"."Zähler; -- ""1""" FROM PUBLIC;
REVOKE ALL ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" FROM "a role";
REVOKE ALL ON SEQUENCE "Odd Schema"."Zähler; -- ""1""" FROM "a role";
SELECT migrator_guard.withdrawn('"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass, ARRAY['a role']::name[]);
SELECT migrator_guard.expect('public', 'tokens', 'public');
ALTER TABLE "public"."tokens" OWNER TO "guard";
SELECT migrator_guard.withdrawn('"public"."tokens"'::regclass, ARRAY['a role']::name[]);
SELECT migrator_guard.expect('public', 'scratch', 'public');
SELECT migrator_guard.withdrawn('"public"."scratch"'::regclass, ARRAY['a role']::name[]);
SELECT migrator_guard.leave('03_revoke', 'withdraw', 'deploy', true);
COMMIT;
