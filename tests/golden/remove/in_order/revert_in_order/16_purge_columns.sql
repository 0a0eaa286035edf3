-- 16_purge_columns (revert_in_order), plan 6519b01876440c9f, database shop
--
-- What:    Takes this step back by writing public.users anew, each column in its old place, instead of adding the
--          columns at its end. The table gets another OID. Only by `migrator remove revert --preserve-order`.
-- Lock:    ACCESS EXCLUSIVE on public.users and, NOWAIT, on Odd Schema.wörter "quoted" and long:
--          0123456789012345678901234567890, in one transaction, for as long as 50 rows and their indexes are written:
--          about 1 s at 25000 rows per second. Twice the table's size is needed on the disk, and as much WAL is
--          written.
-- Blocks:  All use of these tables, reading too, for that long. Afterwards foreign keys are checked beside the traffic.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 16_purge_columns
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: the table is new here and locked as a whole, which is what was asked for;
--          what comes back has to be as it was, old types and serial columns included.
-- squawk-ignore-file ban-drop-table, ban-drop-constraint, ban-drop-default, ban-drop-not-null, ban-set-schema, renaming-column, adding-not-nullable-field, constraint-missing-not-valid, disallowed-unique-constraint, require-concurrent-index-creation, prefer-timestamp-tz, prefer-bigint-over-int, prefer-bigint-over-smallint, prefer-text-field, prefer-identity, ban-char-field

-- One transaction: killed at any point, the table is the old one, and the same command begins anew.
-- unit: rebuild
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'rebuild', 'revert', '6519b01876440c9f');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
LOCK TABLE ONLY "public"."users" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN ACCESS EXCLUSIVE MODE NOWAIT;

SELECT migrator_guard.expect('public', 'users', 'public');
SELECT migrator_guard.loaded('users');
-- What is made anew is made from the plan: what came to the table since would be lost.
SET LOCAL search_path = '';
DO $migrator$
DECLARE
    users CONSTANT oid := '"public"."users"'::regclass;
    differs text;
BEGIN
    WITH now AS (
        SELECT format('column %s %s%s %s', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
            pg_get_expr(d.adbin, d.adrelid)) AS part
        FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = users AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT pg_get_indexdef(x.indexrelid) FROM pg_index AS x WHERE x.indrelid = users
        UNION ALL SELECT format('constraint %s %s', k.conname, pg_get_constraintdef(k.oid)) FROM pg_constraint AS k
        WHERE k.conrelid = users AND k.contype IN ('p', 'u', 'x', 'c', 'f')
        UNION ALL SELECT format('foreign key %s of %s.%s', k.conname, n.nspname, r.relname)
        FROM pg_constraint AS k JOIN pg_class AS r ON r.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
        WHERE k.confrelid = users AND k.contype = 'f' AND k.conrelid <> users
        UNION ALL SELECT pg_get_triggerdef(g.oid) FROM pg_trigger AS g WHERE g.tgrelid = users AND NOT g.tgisinternal
        UNION ALL SELECT format('policy %s', p.polname) FROM pg_policy AS p WHERE p.polrelid = users
        UNION ALL SELECT format('%s for %s', e.privilege_type, CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee) END)
        FROM pg_class AS o, aclexplode(coalesce(o.relacl, acldefault('r', o.relowner))) AS e WHERE o.oid = users
        UNION ALL SELECT format('%s (%s) for %s', e.privilege_type, a.attname, CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee) END)
        FROM pg_attribute AS a, aclexplode(a.attacl) AS e WHERE a.attrelid = users AND NOT a.attisdropped
        UNION ALL SELECT format('publication %s', p.pubname) FROM pg_publication_tables AS p
        WHERE (p.schemaname, p.tablename) = ('public', 'users')
        UNION ALL SELECT format('statistics %s', s.stxname) FROM pg_statistic_ext AS s WHERE s.stxrelid = users
        UNION ALL SELECT format('child %s', i.inhrelid::regclass) FROM pg_inherits AS i WHERE i.inhparent = users
        UNION ALL SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend AS d
        WHERE d.deptype = 'n' AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass) AND d.refobjid IN (
            users, (SELECT o.reltype FROM pg_class AS o WHERE o.oid = users))
    ), planned AS (
        SELECT unnest(ARRAY[
            'CREATE UNIQUE INDEX users_email_key ON public.users USING btree (email)',
            'CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)',
            'DELETE for postgres',
            'INSERT for postgres',
            'MAINTAIN for postgres',
            'REFERENCES for postgres',
            'SELECT for postgres',
            'TRIGGER for postgres',
            'TRUNCATE for postgres',
            'UPDATE for postgres',
            'column confirmation_token character varying ',
            'column email text NOT NULL ',
            'column id bigint NOT NULL ',
            'column name text ',
            'constraint token_is_long CHECK ((length((confirmation_token)::text) > 3))',
            'constraint users_email_key UNIQUE (email)',
            'constraint users_pkey PRIMARY KEY (id)',
            'foreign key wörter "quoted" and long: 0123456789012345678901_owner_id_fkey of Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890'
        ]::text[]) AS part
    )
    SELECT string_agg(DISTINCT part, '; ') INTO differs FROM (
        (SELECT part FROM now EXCEPT SELECT part FROM planned) UNION ALL (SELECT part FROM planned EXCEPT SELECT part FROM now)) AS d;
    IF differs IS NOT NULL THEN
        RAISE EXCEPTION 'changed since the plan, so that %.% is not written anew: %', 'public', 'users', differs
            USING ERRCODE = 'MG005', HINT = 'take that back, or: migrator remove revert without --preserve-order, which keeps it';
    END IF;
END
$migrator$;
SET LOCAL search_path TO DEFAULT;
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" DROP CONSTRAINT "wörter ""quoted"" and long: 0123456789012345678901_owner_id_fkey";
ALTER TABLE "public"."users" SET SCHEMA migrator_quarantine;
CREATE TABLE "public"."users" (
    "id" bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "public"."users_id_seq" START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1) CONSTRAINT "users_id_not_null" NOT NULL,
    "email" text CONSTRAINT "users_email_not_null" NOT NULL,
    "encrypted_password" character varying(128) COLLATE pg_catalog."C" DEFAULT ''::character varying CONSTRAINT "users_encrypted_password_not_null" NOT NULL,
    "sign_in_count" integer DEFAULT 0 CONSTRAINT "users_sign_in_count_not_null" NOT NULL,
    "reset_password_token" character varying,
    "confirmation_token" character varying,
    "failed_attempts" integer CONSTRAINT "users_failed_attempts_not_null" NOT NULL,
    "current_sign_in_ip" inet,
    "confirmed_at" timestamp without time zone,
    "name" text
);
ALTER TABLE "public"."users" ALTER COLUMN "failed_attempts" DROP NOT NULL;
-- In the order in which the rows lie in their blocks.
INSERT INTO "public"."users" ("id", "email", "confirmation_token", "name", "encrypted_password", "sign_in_count", "reset_password_token", "failed_attempts", "current_sign_in_ip", "confirmed_at") OVERRIDING SYSTEM VALUE
SELECT u."id", u."email", u."confirmation_token", u."name",
    CAST('$2a$12$' || left(replace(gen_random_uuid()::text, '-', ''), 21) || '.' || repeat('.', 31) AS character varying(128)),
    CAST(CASE WHEN a.migrator_row IS NULL THEN 0 ELSE a."sign_in_count" END AS integer),
    CAST(NULL AS character varying),
    CAST(CASE WHEN a.migrator_row IS NULL THEN NULL ELSE a."failed_attempts" END AS integer),
    CAST(CASE WHEN a.migrator_row IS NULL THEN NULL ELSE a."current_sign_in_ip" END AS inet),
    CAST(CASE WHEN a.migrator_row IS NULL THEN NULL ELSE a."confirmed_at" END AS timestamp without time zone)
FROM ONLY "migrator_quarantine"."users" AS u LEFT JOIN "migrator_archive"."users" AS a ON u."id" = a."id" ORDER BY u.ctid;
SELECT setval('"public"."users_id_seq"'::regclass, s.last_value, s.is_called) FROM "migrator_quarantine"."users_id_seq" AS s;
ALTER TABLE "public"."users" ADD CONSTRAINT "users_pkey" PRIMARY KEY (id);
ALTER TABLE "public"."users" ADD CONSTRAINT "one_token" UNIQUE (reset_password_token, name);
COMMENT ON CONSTRAINT "one_token" ON "public"."users" IS 'pairs';
ALTER TABLE "public"."users" ADD CONSTRAINT "users_email_key" UNIQUE (email);
ALTER TABLE "public"."users" ADD CONSTRAINT "token_is_long" CHECK ((length((confirmation_token)::text) > 3));
CREATE INDEX by_ip_and_name ON public.users USING btree (current_sign_in_ip, name DESC NULLS LAST) WITH (fillfactor='70');
CREATE UNIQUE INDEX by_token ON public.users USING btree (lower((confirmation_token)::text)) WHERE (confirmed_at IS NULL);
COMMENT ON INDEX "public"."by_token" IS 'open confirmations';

ALTER TABLE "public"."users" OWNER TO "postgres";
SELECT migrator_guard.strip_grants('"public"."users"'::regclass);
GRANT INSERT, SELECT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON TABLE "public"."users" TO "postgres";
ALTER TABLE ONLY "public"."users" ALTER COLUMN "encrypted_password" SET STORAGE EXTERNAL;
ALTER TABLE ONLY "public"."users" ALTER COLUMN "encrypted_password" SET STATISTICS 7;
COMMENT ON COLUMN "public"."users"."encrypted_password" IS E'what''s "here" \\ is secret';
GRANT SELECT ("sign_in_count"), UPDATE ("sign_in_count") ON "public"."users" TO "a role";
ALTER TABLE ONLY "public"."users" ALTER COLUMN "current_sign_in_ip" SET (n_distinct=-0.5);
SELECT migrator_guard.strip_grants('"public"."users_id_seq"'::regclass);
GRANT SELECT, UPDATE, USAGE ON SEQUENCE "public"."users_id_seq" TO "postgres";
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ADD CONSTRAINT "wörter ""quoted"" and long: 0123456789012345678901_owner_id_fkey" FOREIGN KEY (owner_id) REFERENCES public.users(id) ON DELETE SET NULL NOT VALID;
ALTER TABLE "public"."users" RENAME COLUMN "encrypted_password" TO "migrator_q_encrypted_password";
ALTER TABLE "public"."users" RENAME COLUMN "sign_in_count" TO "migrator_q_sign_in_count";
ALTER TABLE "public"."users" RENAME COLUMN "reset_password_token" TO "migrator_q_reset_password_token";
ALTER TABLE "public"."users" RENAME COLUMN "failed_attempts" TO "migrator_q_failed_attempts";
ALTER TABLE "public"."users" RENAME COLUMN "current_sign_in_ip" TO "migrator_q_current_sign_in_ip";
ALTER TABLE "public"."users" RENAME COLUMN "confirmed_at" TO "migrator_q_confirmed_at";
CREATE SEQUENCE migrator_guard."rejected_users";
CREATE TRIGGER migrator_guard_block BEFORE UPDATE ON "public"."users"
    FOR EACH ROW WHEN (
        OLD."migrator_q_encrypted_password"::text IS DISTINCT FROM NEW."migrator_q_encrypted_password"::text
        OR OLD."migrator_q_sign_in_count"::text IS DISTINCT FROM NEW."migrator_q_sign_in_count"::text
        OR OLD."migrator_q_reset_password_token"::text IS DISTINCT FROM NEW."migrator_q_reset_password_token"::text
        OR OLD."migrator_q_failed_attempts"::text IS DISTINCT FROM NEW."migrator_q_failed_attempts"::text
        OR OLD."migrator_q_current_sign_in_ip"::text IS DISTINCT FROM NEW."migrator_q_current_sign_in_ip"::text
        OR OLD."migrator_q_confirmed_at"::text IS DISTINCT FROM NEW."migrator_q_confirmed_at"::text)
    EXECUTE FUNCTION migrator_guard.block_write('rejected_users');
ALTER TABLE "public"."users" ENABLE ALWAYS TRIGGER migrator_guard_block;
UPDATE migrator_guard.inbound SET table_oid = '"public"."users"'::regclass WHERE table_oid = '"migrator_quarantine"."users"'::regclass;
UPDATE migrator_guard.target SET oid = '"public"."users"'::regclass
WHERE schema_name = 'public' AND table_name = 'users';
DROP TABLE "migrator_quarantine"."users" RESTRICT;
SELECT migrator_guard.leave('16_purge_columns', 'rebuild', 'revert', false);
COMMIT;

-- A new table has no statistics: without them queries would be planned badly.
-- unit: analyze
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'analyze', 'revert', '6519b01876440c9f');
ANALYZE "public"."users";
SELECT migrator_guard.leave('16_purge_columns', 'analyze', 'revert', false);
COMMIT;

-- What it is made of is still there: the archive to the end of this file, what stayed in the table itself.
-- unit: compare
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'compare', 'revert', '6519b01876440c9f');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.equal(l.rows, l.sha256, k.rows, k.sha256, 'the restored columns of public.users') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(u."id"::text)
              || migrator_guard.field(u."migrator_q_sign_in_count"::text)
              || migrator_guard.field(u."migrator_q_failed_attempts"::text)
              || migrator_guard.field(u."migrator_q_current_sign_in_ip"::text)
              || migrator_guard.field(u."migrator_q_confirmed_at"::text), 'UTF8')) AS h
          FROM "migrator_archive"."users" AS a JOIN "public"."users" AS u ON u."id" = a."id") AS r) AS l, (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(a."id"::text)
              || migrator_guard.field(a."sign_in_count"::text)
              || migrator_guard.field(a."failed_attempts"::text)
              || migrator_guard.field(a."current_sign_in_ip"::text)
              || migrator_guard.field(a."confirmed_at"::text), 'UTF8')) AS h
          FROM "migrator_archive"."users" AS a JOIN "public"."users" AS u ON u."id" = a."id") AS r) AS k;
SELECT migrator_guard.leave('16_purge_columns', 'compare', 'revert', false);
COMMIT;

-- unit: inbound_1_check
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'inbound_1_check', 'revert', '6519b01876440c9f');
DO $migrator$
DECLARE
    orphans bigint;
    some_keys text[];
BEGIN
    ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" VALIDATE CONSTRAINT "wörter ""quoted"" and long: 0123456789012345678901_owner_id_fkey";
EXCEPTION WHEN foreign_key_violation THEN
    SELECT count(*), (array_agg(concat_ws(',', r."owner_id")))[1:20] INTO orphans, some_keys
    FROM "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" AS r
    WHERE r."owner_id" IS NOT NULL
      AND NOT EXISTS (SELECT FROM "public"."users" AS t WHERE t."id" = r."owner_id");
    INSERT INTO migrator_guard.orphan (table_name, constraint_name, rows, some_keys)
    VALUES ('Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890', 'wörter "quoted" and long: 0123456789012345678901_owner_id_fkey', orphans, some_keys)
    ON CONFLICT (table_name, constraint_name) DO UPDATE SET rows = EXCLUDED.rows, some_keys = EXCLUDED.some_keys;
    RAISE WARNING 'constraint % stays NOT VALID: % rows point to nothing', 'wörter "quoted" and long: 0123456789012345678901_owner_id_fkey', orphans;
END
$migrator$;
SELECT migrator_guard.leave('16_purge_columns', 'inbound_1_check', 'revert', false);
COMMIT;

-- unit: settle
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('16_purge_columns', 'settle', 'revert', '6519b01876440c9f');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
DO $migrator$
BEGIN
    IF to_regclass('migrator_guard."rows_users"') IS NOT NULL THEN
        DROP TABLE migrator_guard."rows_users" RESTRICT;
    END IF;
END
$migrator$;
CREATE TABLE migrator_guard."rows_users" AS
SELECT a."id", sha256(convert_to(
              migrator_guard.field(a."id"::text)
              || migrator_guard.field(a."sign_in_count"::text)
              || migrator_guard.field(a."failed_attempts"::text)
              || migrator_guard.field(a."current_sign_in_ip"::text)
              || migrator_guard.field(a."confirmed_at"::text), 'UTF8')) AS sha256 FROM "migrator_archive"."users" AS a;
DROP TABLE "migrator_archive"."users" RESTRICT;
SELECT migrator_guard.leave('16_purge_columns', 'settle', 'revert', true);
COMMIT;
