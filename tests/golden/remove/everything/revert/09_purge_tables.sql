-- 09_purge_tables (revert), plan cded23f13854b98c, database shop
--
-- What:    Takes this step back: Compares the tables with their archive, then drops them in one transaction.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Queries on these tables while the lock is waited for and held.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 09_purge_tables
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
-- Squawk:  not asked for the rules below: the tables are new here, nobody waits for them; what comes back has to be as
--          it was, old types and serial columns included.
-- squawk-ignore-file ban-set-schema, ban-drop-table, adding-not-nullable-field, constraint-missing-not-valid, disallowed-unique-constraint, require-concurrent-index-creation, prefer-timestamp-tz, prefer-bigint-over-int, prefer-bigint-over-smallint, prefer-text-field, prefer-identity, ban-char-field

-- Each table comes back under its old name, with all that was on it, and goes to quarantine at the end.

-- unit: table_1
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'table_1', 'revert', 'cded23f13854b98c');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.loaded('wörter "quoted" and long: 0123456789012345678901234567890');
CREATE SEQUENCE "Odd Schema"."Zähler; -- ""1""" AS integer START WITH 7 INCREMENT BY 2 MINVALUE 1 MAXVALUE 2147483647 CACHE 1;
CREATE TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" (
    "order" integer DEFAULT nextval('"Odd Schema"."Zähler; -- ""1"""'::regclass) CONSTRAINT "wörter ""quoted"" and long: 012345678901234567890_order_not_null" NOT NULL,
    "Größe" numeric(10,2) DEFAULT 1.50 CONSTRAINT "wörter ""quoted"" and long: 0123456789012345678_Größe_not_null" NOT NULL,
    "twice" numeric GENERATED ALWAYS AS (("Größe" * (2)::numeric)) STORED,
    "doc" jsonb DEFAULT '{"a": "it''s"}'::jsonb,
    "m" public.mood DEFAULT 'it''s "so" so'::public.mood,
    "d" public.short_text,
    "tags" text[] DEFAULT '{}'::text[] CONSTRAINT "wörter ""quoted"" and long: 0123456789012345678901_tags_not_null" NOT NULL,
    "raw" bytea,
    "span" tstzrange,
    "at" timestamp with time zone DEFAULT now() CONSTRAINT "wörter ""quoted"" and long: 012345678901234567890123_at_not_null" NOT NULL,
    "owner_id" bigint,
    "parent" integer,
    "note" text COLLATE pg_catalog."C",
    "token_kind" integer,
    "token_id" bigint
) WITH (fillfactor=80, autovacuum_enabled=false, toast.autovacuum_enabled=false);
ALTER SEQUENCE "Odd Schema"."Zähler; -- ""1""" OWNED BY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"."order";
INSERT INTO "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ("order", "Größe", "doc", "m", "d", "tags", "raw", "span", "at", "owner_id", "parent", "note", "token_kind", "token_id") OVERRIDING SYSTEM VALUE
SELECT "order", "Größe", "doc", "m", "d", "tags", "raw", "span", "at", "owner_id", "parent", "note", "token_kind", "token_id" FROM "migrator_archive"."wörter ""quoted"" and long: 0123456789012345678901234567890";
SELECT setval('"Odd Schema"."Zähler; -- ""1"""'::regclass, v.last_value, v.is_called)
FROM migrator_guard.sequence_value AS v WHERE v.schema_name = 'Odd Schema' AND v.name = 'Zähler; -- "1"';
SELECT migrator_guard.same('wörter "quoted" and long: 0123456789012345678901234567890', d.rows, d.sha256, 'the restored table Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(t."order"::text)
              || migrator_guard.field(t."Größe"::text)
              || migrator_guard.field(t."doc"::text)
              || migrator_guard.field(t."m"::text)
              || migrator_guard.field(t."d"::text)
              || migrator_guard.field(t."tags"::text)
              || migrator_guard.field(t."raw"::text)
              || migrator_guard.field(t."span"::text)
              || migrator_guard.field(t."at"::text)
              || migrator_guard.field(t."owner_id"::text)
              || migrator_guard.field(t."parent"::text)
              || migrator_guard.field(t."note"::text)
              || migrator_guard.field(t."token_kind"::text)
              || migrator_guard.field(t."token_id"::text), 'UTF8')) AS h
          FROM ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" AS t) AS r) AS d;
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ADD CONSTRAINT "wörter ""quoted"" and long: 0123456789012345678901234567890_pkey" PRIMARY KEY ("order");
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ADD CONSTRAINT "pair" UNIQUE NULLS NOT DISTINCT ("order", note);
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ADD CONSTRAINT "no overlap" EXCLUDE USING gist (span WITH &&) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ADD CONSTRAINT "big enough" CHECK (("Größe" > (0)::numeric)) NOT VALID;
CREATE INDEX "by doc" ON "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" USING gin (doc jsonb_path_ops);
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" CLUSTER ON "pair";

CREATE TRIGGER never AFTER UPDATE ON "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" FOR EACH ROW WHEN ((old.note IS DISTINCT FROM new.note)) EXECUTE FUNCTION public.touch();
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" DISABLE TRIGGER "never";
COMMENT ON TRIGGER "never" ON "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" IS 'off';
CREATE TRIGGER touching BEFORE INSERT ON "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE POLICY "mine; only" ON "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" AS RESTRICTIVE FOR UPDATE TO "a role", "postgres" USING ((owner_id = 1)) WITH CHECK ((note <> 'x'::text));
COMMENT ON POLICY "mine; only" ON "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" IS 'policy';
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ENABLE ROW LEVEL SECURITY;
ALTER PUBLICATION "told" ADD TABLE ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ("order", "note") WHERE ((owner_id > 5));
COMMENT ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" IS 'a
b';
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" OWNER TO "postgres";
SELECT migrator_guard.strip_grants('"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass);
GRANT INSERT, SELECT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" TO "postgres";
GRANT INSERT, SELECT ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" TO "a role" WITH GRANT OPTION;
GRANT SELECT ON TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" TO PUBLIC;
COMMENT ON COLUMN "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"."Größe" IS 'size';
ALTER TABLE ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ALTER COLUMN "doc" SET COMPRESSION pglz;
ALTER TABLE ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ALTER COLUMN "raw" SET STORAGE EXTERNAL;
GRANT UPDATE ("note") ON "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" TO "a role";
SELECT migrator_guard.strip_grants('"Odd Schema"."Zähler; -- ""1"""'::regclass);
GRANT SELECT, UPDATE, USAGE ON SEQUENCE "Odd Schema"."Zähler; -- ""1""" TO "postgres";
GRANT USAGE ON SEQUENCE "Odd Schema"."Zähler; -- ""1""" TO "a role";
COMMENT ON SEQUENCE "Odd Schema"."Zähler; -- ""1""" IS 'numbers';
UPDATE migrator_guard.target SET oid = '"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass
WHERE schema_name = 'Odd Schema' AND table_name = 'wörter "quoted" and long: 0123456789012345678901234567890';
SELECT migrator_guard.leave('09_purge_tables', 'table_1', 'revert', false);
COMMIT;

-- unit: table_2
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'table_2', 'revert', 'cded23f13854b98c');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.loaded('tokens');
CREATE TABLE "public"."tokens" (
    "kind" integer CONSTRAINT "tokens_kind_not_null" NOT NULL,
    "id" bigint GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME "public"."tokens_id_seq" START WITH 100 INCREMENT BY 5 MINVALUE 50 MAXVALUE 9999 CACHE 3 CYCLE) CONSTRAINT "tokens_id_not_null" NOT NULL,
    "word" integer
);
INSERT INTO "public"."tokens" ("kind", "id", "word") OVERRIDING SYSTEM VALUE
SELECT "kind", "id", "word" FROM "migrator_archive"."tokens";
SELECT setval('"public"."tokens_id_seq"'::regclass, v.last_value, v.is_called)
FROM migrator_guard.sequence_value AS v WHERE v.schema_name = 'public' AND v.name = 'tokens_id_seq';
SELECT migrator_guard.same('tokens', d.rows, d.sha256, 'the restored table public.tokens') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(t."kind"::text)
              || migrator_guard.field(t."id"::text)
              || migrator_guard.field(t."word"::text), 'UTF8')) AS h
          FROM ONLY "public"."tokens" AS t) AS r) AS d;
ALTER TABLE "public"."tokens" ADD CONSTRAINT "tokens_pkey" PRIMARY KEY (kind, id);

ALTER TABLE "public"."tokens" REPLICA IDENTITY FULL;
ALTER TABLE "public"."tokens" FORCE ROW LEVEL SECURITY;
ALTER PUBLICATION "told" ADD TABLE ONLY "public"."tokens";
ALTER TABLE "public"."tokens" OWNER TO "a role";
SELECT migrator_guard.strip_grants('"public"."tokens"'::regclass);
GRANT INSERT, SELECT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON TABLE "public"."tokens" TO "a role";
SELECT migrator_guard.strip_grants('"public"."tokens_id_seq"'::regclass);
GRANT SELECT, UPDATE, USAGE ON SEQUENCE "public"."tokens_id_seq" TO "a role";
UPDATE migrator_guard.target SET oid = '"public"."tokens"'::regclass
WHERE schema_name = 'public' AND table_name = 'tokens';
SELECT migrator_guard.leave('09_purge_tables', 'table_2', 'revert', false);
COMMIT;

-- unit: table_3
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'table_3', 'revert', 'cded23f13854b98c');
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.loaded('scratch');
CREATE UNLOGGED TABLE "public"."scratch" (
    "a" text CONSTRAINT "scratch_a_not_null" NOT NULL,
    "b" json,
    "c" double precision
);
INSERT INTO "public"."scratch" ("a", "b", "c") OVERRIDING SYSTEM VALUE
SELECT "a", "b", "c" FROM "migrator_archive"."scratch";
SELECT migrator_guard.same('scratch', d.rows, d.sha256, 'the restored table public.scratch') FROM (
    SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(r.h, ''::bytea ORDER BY r.h), ''::bytea)), 'hex') AS sha256
    FROM (SELECT sha256(convert_to(
              migrator_guard.field(t."a"::text)
              || migrator_guard.field(t."b"::text)
              || migrator_guard.field(t."c"::text), 'UTF8')) AS h
          FROM ONLY "public"."scratch" AS t) AS r) AS d;
ALTER TABLE "public"."scratch" ADD CONSTRAINT "scratch_a_key" UNIQUE (a);

ALTER TABLE "public"."scratch" REPLICA IDENTITY USING INDEX "scratch_a_key";
ALTER TABLE "public"."scratch" OWNER TO "postgres";
SELECT migrator_guard.strip_grants('"public"."scratch"'::regclass);
UPDATE migrator_guard.target SET oid = '"public"."scratch"'::regclass
WHERE schema_name = 'public' AND table_name = 'scratch';
SELECT migrator_guard.leave('09_purge_tables', 'table_3', 'revert', false);
COMMIT;

-- Foreign keys: first unchecked (a moment's lock on the other table), then checked without blocking writers.

-- unit: key_1
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'key_1', 'revert', 'cded23f13854b98c');
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ADD CONSTRAINT "circle" FOREIGN KEY (token_kind, token_id) REFERENCES public.tokens(kind, id) MATCH FULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID;
SELECT migrator_guard.leave('09_purge_tables', 'key_1', 'revert', false);
COMMIT;

-- unit: key_2
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'key_2', 'revert', 'cded23f13854b98c');
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ADD CONSTRAINT "self" FOREIGN KEY (parent) REFERENCES "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"("order") DEFERRABLE NOT VALID;
SELECT migrator_guard.leave('09_purge_tables', 'key_2', 'revert', false);
COMMIT;

-- unit: key_2_check
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'key_2_check', 'revert', 'cded23f13854b98c');
DO $migrator$
DECLARE
    orphans bigint;
    some_keys text[];
BEGIN
    ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" VALIDATE CONSTRAINT "self";
EXCEPTION WHEN foreign_key_violation THEN
    SELECT count(*), (array_agg(concat_ws(',', r."parent")))[1:20] INTO orphans, some_keys
    FROM "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" AS r
    WHERE r."parent" IS NOT NULL
      AND NOT EXISTS (SELECT FROM "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" AS t WHERE t."order" = r."parent");
    INSERT INTO migrator_guard.orphan (table_name, constraint_name, rows, some_keys)
    VALUES ('Odd Schema.wörter "quoted" and long: 0123456789012345678901234567890', 'self', orphans, some_keys)
    ON CONFLICT (table_name, constraint_name) DO UPDATE SET rows = EXCLUDED.rows, some_keys = EXCLUDED.some_keys;
    RAISE WARNING 'constraint % stays NOT VALID: % rows point to nothing', 'self', orphans;
END
$migrator$;
SELECT migrator_guard.leave('09_purge_tables', 'key_2_check', 'revert', false);
COMMIT;

-- unit: key_3
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'key_3', 'revert', 'cded23f13854b98c');
ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" ADD CONSTRAINT "wörter ""quoted"" and long: 0123456789012345678901_owner_id_fkey" FOREIGN KEY (owner_id) REFERENCES public.users(id) ON DELETE SET NULL NOT VALID;
SELECT migrator_guard.leave('09_purge_tables', 'key_3', 'revert', false);
COMMIT;

-- unit: key_3_check
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'key_3_check', 'revert', 'cded23f13854b98c');
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
SELECT migrator_guard.leave('09_purge_tables', 'key_3_check', 'revert', false);
COMMIT;

-- unit: key_4
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'key_4', 'revert', 'cded23f13854b98c');
ALTER TABLE "public"."tokens" ADD CONSTRAINT "tokens_word_fkey" FOREIGN KEY (word) REFERENCES "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"("order") NOT VALID;
SELECT migrator_guard.leave('09_purge_tables', 'key_4', 'revert', false);
COMMIT;

-- unit: key_4_check
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'key_4_check', 'revert', 'cded23f13854b98c');
DO $migrator$
DECLARE
    orphans bigint;
    some_keys text[];
BEGIN
    ALTER TABLE "public"."tokens" VALIDATE CONSTRAINT "tokens_word_fkey";
EXCEPTION WHEN foreign_key_violation THEN
    SELECT count(*), (array_agg(concat_ws(',', r."word")))[1:20] INTO orphans, some_keys
    FROM "public"."tokens" AS r
    WHERE r."word" IS NOT NULL
      AND NOT EXISTS (SELECT FROM "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" AS t WHERE t."order" = r."word");
    INSERT INTO migrator_guard.orphan (table_name, constraint_name, rows, some_keys)
    VALUES ('public.tokens', 'tokens_word_fkey', orphans, some_keys)
    ON CONFLICT (table_name, constraint_name) DO UPDATE SET rows = EXCLUDED.rows, some_keys = EXCLUDED.some_keys;
    RAISE WARNING 'constraint % stays NOT VALID: % rows point to nothing', 'tokens_word_fkey', orphans;
END
$migrator$;
SELECT migrator_guard.leave('09_purge_tables', 'key_4_check', 'revert', false);
COMMIT;

-- unit: inbound_1
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'inbound_1', 'revert', 'cded23f13854b98c');
ALTER TABLE "public"."stays" ADD CONSTRAINT "to tokens" FOREIGN KEY (kind, token) REFERENCES public.tokens(kind, id) ON DELETE CASCADE NOT VALID;
COMMENT ON CONSTRAINT "to tokens" ON "public"."stays" IS 'inbound';
SELECT migrator_guard.leave('09_purge_tables', 'inbound_1', 'revert', false);
COMMIT;

-- unit: inbound_1_check
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'inbound_1_check', 'revert', 'cded23f13854b98c');
DO $migrator$
DECLARE
    orphans bigint;
    some_keys text[];
BEGIN
    ALTER TABLE "public"."stays" VALIDATE CONSTRAINT "to tokens";
EXCEPTION WHEN foreign_key_violation THEN
    SELECT count(*), (array_agg(concat_ws(',', r."kind", r."token")))[1:20] INTO orphans, some_keys
    FROM "public"."stays" AS r
    WHERE r."kind" IS NOT NULL AND r."token" IS NOT NULL
      AND NOT EXISTS (SELECT FROM "public"."tokens" AS t WHERE t."kind" = r."kind" AND t."id" = r."token");
    INSERT INTO migrator_guard.orphan (table_name, constraint_name, rows, some_keys)
    VALUES ('public.stays', 'to tokens', orphans, some_keys)
    ON CONFLICT (table_name, constraint_name) DO UPDATE SET rows = EXCLUDED.rows, some_keys = EXCLUDED.some_keys;
    RAISE WARNING 'constraint % stays NOT VALID: % rows point to nothing', 'to tokens', orphans;
END
$migrator$;
SELECT migrator_guard.leave('09_purge_tables', 'inbound_1_check', 'revert', false);
COMMIT;

-- unit: move
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('09_purge_tables', 'move', 'revert', 'cded23f13854b98c');
LOCK TABLE ONLY "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE ONLY "public"."tokens" IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY "public"."scratch" IN ACCESS EXCLUSIVE MODE NOWAIT;

ALTER TABLE "Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890" SET SCHEMA migrator_quarantine;
REVOKE ALL ON TABLE "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" FROM PUBLIC;
REVOKE ALL ON SEQUENCE "migrator_quarantine"."Zähler; -- ""1""" FROM PUBLIC;
REVOKE ALL ON TABLE "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" FROM "a role";
REVOKE ALL ON SEQUENCE "migrator_quarantine"."Zähler; -- ""1""" FROM "a role";
SELECT migrator_guard.withdrawn('"migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass, ARRAY['a role']::name[]);
CREATE VIEW migrator_guard."tripwire_wörter ""quoted"" and long: 012345678901234567_6e811bb9" AS SELECT 1 AS held FROM ONLY "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890";
CREATE TRIGGER migrator_guard_truncate BEFORE TRUNCATE ON "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"
    FOR EACH STATEMENT EXECUTE FUNCTION migrator_guard.block_truncate();
ALTER TABLE "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" ENABLE ALWAYS TRIGGER migrator_guard_truncate;
INSERT INTO migrator_guard.tripwire (schema_name, table_name, view_oid, trigger_oid)
SELECT 'Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 'migrator_guard."tripwire_wörter ""quoted"" and long: 012345678901234567_6e811bb9"'::regclass, oid
FROM pg_trigger WHERE tgrelid = '"migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"'::regclass AND tgname = 'migrator_guard_truncate';
CREATE SEQUENCE migrator_guard."rejected_wörter ""quoted"" and long: 012345678901234567_1e20d87f";
CREATE TRIGGER migrator_guard_block BEFORE INSERT OR UPDATE OR DELETE ON "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890"
    FOR EACH ROW EXECUTE FUNCTION migrator_guard.block_write('rejected_wörter "quoted" and long: 012345678901234567_1e20d87f');
ALTER TABLE "migrator_quarantine"."wörter ""quoted"" and long: 0123456789012345678901234567890" ENABLE ALWAYS TRIGGER migrator_guard_block;
DROP TABLE "migrator_archive"."wörter ""quoted"" and long: 0123456789012345678901234567890" RESTRICT;
UPDATE migrator_guard.target SET shape = migrator_guard.shape_of(oid) WHERE schema_name = 'Odd Schema' AND table_name = 'wörter "quoted" and long: 0123456789012345678901234567890';
DELETE FROM migrator_guard.sequence_value WHERE schema_name = 'Odd Schema' AND name = 'Zähler; -- "1"';
ALTER TABLE "public"."tokens" SET SCHEMA migrator_quarantine;
ALTER TABLE "migrator_quarantine"."tokens" OWNER TO "guard";
SELECT migrator_guard.withdrawn('"migrator_quarantine"."tokens"'::regclass, ARRAY['a role']::name[]);
CREATE VIEW migrator_guard."tripwire_tokens" AS SELECT 1 AS held FROM ONLY "migrator_quarantine"."tokens";
CREATE TRIGGER migrator_guard_truncate BEFORE TRUNCATE ON "migrator_quarantine"."tokens"
    FOR EACH STATEMENT EXECUTE FUNCTION migrator_guard.block_truncate();
ALTER TABLE "migrator_quarantine"."tokens" ENABLE ALWAYS TRIGGER migrator_guard_truncate;
INSERT INTO migrator_guard.tripwire (schema_name, table_name, view_oid, trigger_oid)
SELECT 'public', 'tokens', 'migrator_guard."tripwire_tokens"'::regclass, oid
FROM pg_trigger WHERE tgrelid = '"migrator_quarantine"."tokens"'::regclass AND tgname = 'migrator_guard_truncate';
CREATE SEQUENCE migrator_guard."rejected_tokens";
CREATE TRIGGER migrator_guard_block BEFORE INSERT OR UPDATE OR DELETE ON "migrator_quarantine"."tokens"
    FOR EACH ROW EXECUTE FUNCTION migrator_guard.block_write('rejected_tokens');
ALTER TABLE "migrator_quarantine"."tokens" ENABLE ALWAYS TRIGGER migrator_guard_block;
DROP TABLE "migrator_archive"."tokens" RESTRICT;
UPDATE migrator_guard.target SET shape = migrator_guard.shape_of(oid) WHERE schema_name = 'public' AND table_name = 'tokens';
DELETE FROM migrator_guard.sequence_value WHERE schema_name = 'public' AND name = 'tokens_id_seq';
ALTER TABLE "public"."scratch" SET SCHEMA migrator_quarantine;
SELECT migrator_guard.withdrawn('"migrator_quarantine"."scratch"'::regclass, ARRAY['a role']::name[]);
CREATE VIEW migrator_guard."tripwire_scratch" AS SELECT 1 AS held FROM ONLY "migrator_quarantine"."scratch";
CREATE TRIGGER migrator_guard_truncate BEFORE TRUNCATE ON "migrator_quarantine"."scratch"
    FOR EACH STATEMENT EXECUTE FUNCTION migrator_guard.block_truncate();
ALTER TABLE "migrator_quarantine"."scratch" ENABLE ALWAYS TRIGGER migrator_guard_truncate;
INSERT INTO migrator_guard.tripwire (schema_name, table_name, view_oid, trigger_oid)
SELECT 'public', 'scratch', 'migrator_guard."tripwire_scratch"'::regclass, oid
FROM pg_trigger WHERE tgrelid = '"migrator_quarantine"."scratch"'::regclass AND tgname = 'migrator_guard_truncate';
CREATE SEQUENCE migrator_guard."rejected_scratch";
CREATE TRIGGER migrator_guard_block BEFORE INSERT OR UPDATE OR DELETE ON "migrator_quarantine"."scratch"
    FOR EACH ROW EXECUTE FUNCTION migrator_guard.block_write('rejected_scratch');
ALTER TABLE "migrator_quarantine"."scratch" ENABLE ALWAYS TRIGGER migrator_guard_block;
DROP TABLE "migrator_archive"."scratch" RESTRICT;
UPDATE migrator_guard.target SET shape = migrator_guard.shape_of(oid) WHERE schema_name = 'public' AND table_name = 'scratch';
SELECT migrator_guard.leave('09_purge_tables', 'move', 'revert', true);
COMMIT;
