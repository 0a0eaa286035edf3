-- 03_revoke (revert), plan cded23f13854b98c, database shop
--
-- What:    Takes this step back: Takes the tables away from the application's roles: whoever still uses them gets
--          SQLSTATE 42501. Where one of these roles owns a table, the table goes to a guard role first; foreign keys go
--          on working.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Nobody but those roles; queries on a table that changes its owner while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 03_revoke
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: give_back
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('03_revoke', 'give_back', 'revert', 'cded23f13854b98c');
LOCK TABLE ONLY "public"."tokens" IN ACCESS EXCLUSIVE MODE;

SELECT migrator_guard.expect('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'Odd Schema');
SELECT migrator_guard.strip_grants('"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass);
GRANT INSERT, SELECT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" TO "postgres";
GRANT INSERT, SELECT ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" TO "a role" WITH GRANT OPTION;
GRANT SELECT ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" TO PUBLIC;
REVOKE ALL ("note") ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" FROM "a role";
GRANT UPDATE ("note") ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" TO "a role";
SELECT migrator_guard.strip_grants('"Odd Schema"."Zähler; -- ""1"""'::regclass);
GRANT SELECT, UPDATE, USAGE ON SEQUENCE "Odd Schema"."Zähler; -- ""1""" TO "postgres";
GRANT USAGE ON SEQUENCE "Odd Schema"."Zähler; -- ""1""" TO "a role";
SELECT migrator_guard.expect('public', 'tokens', 'public');
ALTER TABLE "public"."tokens" OWNER TO "a role";

SELECT migrator_guard.expect('public', 'scratch', 'public');

SELECT migrator_guard.leave('03_revoke', 'give_back', 'revert', true);
COMMIT;
