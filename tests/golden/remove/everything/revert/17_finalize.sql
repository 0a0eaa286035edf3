-- 17_finalize (revert), plan dcfa1b52332d83b6, database shop
--
-- What:    Takes this step back: Removes what the removal itself made: the guard schema and the quarantine schema. What
--          they knew is in migrator's state and ledger.
-- Lock:    As in the deploy file, and SHARE ROW EXCLUSIVE on tables that a foreign key ties to what comes back.
-- Blocks:  Nobody.
-- Waits:   at most 200 ms for one lock per transaction, further locks NOWAIT; `migrator` tries up to 5 times with
--          growing random pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 17_finalize
--
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in migrator_guard.evidence. Do not edit: plan.json holds this file's hash.

-- unit: reopen
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
-- Two operators may begin at once: one makes the schemas, the other finds them and is refused.
SELECT pg_advisory_xact_lock(120299474547309);
CREATE SCHEMA migrator_guard;
CREATE SCHEMA IF NOT EXISTS migrator_archive;
CREATE SCHEMA migrator_quarantine;
GRANT USAGE ON SCHEMA migrator_quarantine TO "postgres";
GRANT USAGE ON SCHEMA migrator_quarantine TO "a role";
GRANT USAGE, CREATE ON SCHEMA migrator_quarantine TO "guard";

CREATE TABLE migrator_guard.plan (
    plan_id text PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO migrator_guard.plan (plan_id) VALUES ('dcfa1b52332d83b6');

CREATE TABLE migrator_guard.step (
    step text PRIMARY KEY,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'applying', 'applied', 'reverting')),
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO migrator_guard.step (step) VALUES ('01_guard'), ('02_tripwires'), ('03_revoke'), ('04_scream_window'), ('05_quarantine_tables'), ('06_archive_tables'), ('07_drill_tables'), ('08_write_block_tables'), ('09_purge_tables'), ('10_loosen_columns'), ('11_quarantine_columns'), ('12_archive_columns'), ('13_drill_columns'), ('14_write_block_columns'), ('15_erase_columns'), ('16_purge_columns'), ('17_finalize');

-- Transactions of a step that are done, so that an interrupted one goes on where it stopped.
CREATE TABLE migrator_guard.unit (
    step text NOT NULL,
    direction text NOT NULL,
    unit text NOT NULL,
    fence bigint,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (step, direction, unit)
);

-- Opens a transaction of a step: lease, order of steps, evidence, and what can be measured here.
CREATE FUNCTION migrator_guard.enter(this_step text, this_unit text, direction text, this_plan text) RETURNS void
LANGUAGE plpgsql AS $migrator$
DECLARE
    now_state text;
    in_the_way text;
    its_state text;
BEGIN
    PERFORM FROM migrator_guard.plan WHERE plan_id = this_plan;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another plan than % is under way', this_plan
            USING ERRCODE = 'MG006', HINT = 'revert that one with its own files first: migrator remove status';
    END IF;
    PERFORM migrator_guard.check_lease();
    PERFORM FROM migrator_guard.unit AS u WHERE (u.step, u.direction, u.unit) = (this_step, enter.direction, this_unit);
    IF FOUND THEN
        RAISE EXCEPTION 'part % of step % is done', this_unit, this_step
            USING ERRCODE = 'MG006', HINT = 'migrator remove apply and migrator remove revert go on where a step stopped';
    END IF;
    SELECT state INTO STRICT now_state FROM migrator_guard.step WHERE step = this_step FOR UPDATE;
    IF direction = 'deploy' THEN
        SELECT step, state INTO in_the_way, its_state FROM migrator_guard.step
        WHERE step < this_step AND state <> 'applied' ORDER BY step LIMIT 1;
    ELSE
        SELECT step, state INTO in_the_way, its_state FROM migrator_guard.step
        WHERE step > this_step AND state <> 'pending' ORDER BY step DESC LIMIT 1;
    END IF;
    IF in_the_way IS NOT NULL THEN
        RAISE EXCEPTION 'step % comes before %, and is %', in_the_way, this_step, its_state USING ERRCODE = 'MG006', HINT = CASE
            WHEN direction = 'revert' THEN format('revert/%s.sql, or migrator remove revert --to %s', in_the_way, this_step)
            WHEN its_state = 'reverting' THEN format('revert/%s.sql, which stopped half-way', in_the_way)
            ELSE format('migrator remove permit %1$s and deploy/%1$s.sql, or migrator remove apply --to %1$s', in_the_way) END;
    END IF;
    IF (direction = 'deploy' AND now_state NOT IN ('pending', 'applying')) OR (direction = 'revert' AND now_state = 'pending') THEN
        RAISE EXCEPTION 'step % is %', this_step, now_state USING ERRCODE = 'MG006', HINT = CASE now_state
            WHEN 'reverting' THEN format('revert/%s.sql, which stopped half-way', this_step)
            ELSE 'nothing is left to do here; migrator remove status tells what comes next' END;
    END IF;
    IF direction = 'deploy' THEN
        PERFORM migrator_guard.check_evidence(this_step, this_plan);
        PERFORM migrator_guard.measure(this_step);
        PERFORM migrator_guard.unchanged();
    END IF;
    UPDATE migrator_guard.step SET state = CASE direction WHEN 'deploy' THEN 'applying' ELSE 'reverting' END, at = clock_timestamp()
    WHERE step = this_step;
END
$migrator$;

-- Closes a transaction of a step; the last one settles the step's state.
CREATE FUNCTION migrator_guard.leave(this_step text, this_unit text, this_direction text, is_last boolean) RETURNS void
LANGUAGE plpgsql AS $migrator$
BEGIN
    INSERT INTO migrator_guard.unit (step, direction, unit, fence)
    VALUES (this_step, this_direction, this_unit, migrator_guard.check_lease());
    IF is_last THEN
        UPDATE migrator_guard.step SET state = CASE this_direction WHEN 'deploy' THEN 'applied' ELSE 'pending' END, at = clock_timestamp()
        WHERE step = this_step;
        DELETE FROM migrator_guard.unit WHERE step = this_step AND (this_direction = 'revert' OR direction = 'revert');
    END IF;
END
$migrator$;

CREATE FUNCTION migrator_guard.is_applied(this_step text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM migrator_guard.step WHERE step = this_step AND state = 'applied');

CREATE FUNCTION migrator_guard.verified(fine boolean, what text) RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    IF fine IS NOT TRUE THEN
        RAISE EXCEPTION 'not so: %', what USING ERRCODE = 'MG007', HINT = 'migrator remove status';
    END IF;
END
$migrator$;

-- Who may work: the number grows with each holder, and each transaction checks it.
CREATE TABLE migrator_guard.lease (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    holder text NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE FUNCTION migrator_guard.check_lease() RETURNS bigint LANGUAGE plpgsql AS $migrator$
DECLARE
    mine bigint := nullif(current_setting('migrator.fence', true), '')::bigint;
BEGIN
    IF mine IS NULL THEN
        RAISE EXCEPTION 'this session holds no lease on the removal'
            USING ERRCODE = 'MG001', HINT = 'migrator remove apply, or migrator remove revert';
    END IF;
    -- The row stays locked to the end of the transaction: nobody takes the lease over meanwhile. One that ran out but that
    -- nobody took is still ours.
    UPDATE migrator_guard.lease SET expires_at = clock_timestamp() + interval '60 seconds' WHERE fence = mine;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another operator took the lease on the removal'
            USING ERRCODE = 'MG001', HINT = 'migrator remove status';
    END IF;
    RETURN mine;
END
$migrator$;

-- Gives the number of the new holder, NULL while somebody else holds it.
CREATE FUNCTION migrator_guard.take_lease(who text, seconds double precision) RETURNS bigint LANGUAGE sql AS $migrator$
    INSERT INTO migrator_guard.lease AS l (holder, fence, expires_at)
    VALUES (who, 1, clock_timestamp() + seconds * interval '1 second')
    ON CONFLICT (only_one) DO UPDATE SET holder = EXCLUDED.holder, fence = l.fence + 1, expires_at = EXCLUDED.expires_at
    WHERE l.holder = EXCLUDED.holder OR l.expires_at <= clock_timestamp()
    RETURNING fence
$migrator$;

-- For a session that runs these files without `migrator`; it works for as long as it holds the lease.
CREATE FUNCTION migrator_guard.lease_by_hand(with_what text) RETURNS void LANGUAGE plpgsql AS $migrator$
DECLARE
    who text := format('%s by %s from %s', with_what, session_user, coalesce(host(inet_client_addr()), 'this machine'));
    mine bigint;
BEGIN
    -- Each transaction that is done makes it longer; what is refused at once keeps nobody waiting.
    mine := migrator_guard.take_lease(who, 2);
    IF mine IS NULL THEN
        RAISE EXCEPTION '% holds the lease on the removal', (SELECT holder FROM migrator_guard.lease)
            USING ERRCODE = 'MG001', HINT = 'let that one finish, or wait a minute after it ended, then the same again';
    END IF;
    PERFORM set_config('migrator.fence', mine::text, false);
END
$migrator$;

CREATE FUNCTION migrator_guard.lease_back() RETURNS void LANGUAGE sql AS $migrator$
    UPDATE migrator_guard.lease SET expires_at = clock_timestamp()
    WHERE fence = nullif(current_setting('migrator.fence', true), '')::bigint
$migrator$;

-- Why a step may be deployed: a hash over the verdicts of its gates, good for a short while.
CREATE TABLE migrator_guard.evidence (
    step text PRIMARY KEY,
    plan_id text NOT NULL,
    plan_hash text NOT NULL,
    evidence_hash text NOT NULL,
    oids oid[] NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE FUNCTION migrator_guard.check_evidence(this_step text, this_plan text) RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    PERFORM FROM migrator_guard.evidence
    WHERE step = this_step AND plan_id = this_plan AND expires_at > clock_timestamp()
        AND oids = (SELECT array_agg(t.oid ORDER BY t.oid) FROM migrator_guard.target AS t);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'step % has no gate evidence that is still good', this_step
            USING ERRCODE = 'MG002', HINT = format('migrator gate check --before remove, then migrator remove apply --to %1$s, or migrator remove permit %1$s and this file again', this_step);
    END IF;
END
$migrator$;

-- Code first: from the first step that takes something away no build may know the legacy side, and who runs which has to be known.
CREATE FUNCTION migrator_guard.code_first() RETURNS void LANGUAGE plpgsql AS $migrator$
DECLARE
    living text[] := '{}';
    still text;
    missing text;
BEGIN
    IF to_regclass('"public"."migrator_instance"') IS NOT NULL THEN
        SELECT coalesce(array_agg(i.instance::text), '{}'), string_agg(format('%s (build %s)', i.instance, i.build), ', ') FILTER (WHERE i.legacy_capable)
        INTO living, still FROM "public"."migrator_instance" AS i
        WHERE i.seen_at BETWEEN clock_timestamp() - interval '60 seconds' AND clock_timestamp() + interval '60 seconds';
    END IF;
    SELECT string_agg(e.name, ', ') INTO missing FROM unnest(ARRAY['shop-1', 'shop-2']::text[]) AS e (name) WHERE e.name <> ALL (living);
    IF missing IS NULL AND cardinality(living) < 1 THEN
        missing := format('%s of 1 or more that report', cardinality(living));
    END IF;
    IF still IS NOT NULL THEN
        RAISE EXCEPTION 'code first: these builds know the legacy side: %', still
            USING ERRCODE = 'MG002', HINT = 'deploy what code/README.md of the plan says (C0), or accept it: acknowledged = ["code_first"] in [remove], then migrator remove plan';
    ELSIF missing IS NOT NULL THEN
        RAISE EXCEPTION 'code first is UNPROVEN, since not every expected instance says what it runs: %', missing
            USING ERRCODE = 'MG008', HINT = 'start them, set [stage] expected_instances, or accept it: acknowledged = ["code_first"] in [remove], then migrator remove plan';
    END IF;
END
$migrator$;

-- What SQL itself can measure, again in each transaction: who still serves, and signs in, the old way.
CREATE FUNCTION migrator_guard.measure(this_step text) RETURNS void LANGUAGE plpgsql AS $migrator$
DECLARE
    still text;
BEGIN
    IF to_regclass('"public"."migrator_instance"') IS NOT NULL THEN
        SELECT string_agg(format('%s (stage %s)', i.instance, i.stage), ', ')
        INTO still FROM "public"."migrator_instance" AS i
        WHERE i.seen_at > clock_timestamp() - interval '60 seconds' AND i.legacy_capable AND i.stage <> 'auther';
        IF still IS NOT NULL THEN
            RAISE EXCEPTION 'instances still accept legacy logins: %', still
                USING ERRCODE = 'MG002', HINT = 'migrator dual-path stage show';
        END IF;
    END IF;
    IF this_step >= '03_revoke' THEN
        PERFORM migrator_guard.code_first();
    END IF;
    IF to_regclass('"public"."migrator_identity"') IS NOT NULL THEN
        SELECT max(i.last_legacy_at)::text INTO still FROM "public"."migrator_identity" AS i
        WHERE i.last_legacy_at > clock_timestamp() - interval '86400 seconds';
        IF still IS NOT NULL THEN
            RAISE EXCEPTION 'a user was on the legacy side at %', still
                USING ERRCODE = 'MG002', HINT = 'wait as long as [remove] quiet_for says, or find out who: migrator drain status';
        END IF;
    END IF;
END
$migrator$;

-- The objects that were planned for, by OID: a table of the same name is not the same table.
CREATE TABLE migrator_guard.target (
    schema_name text NOT NULL,
    table_name text NOT NULL,
    oid oid NOT NULL,
    shape text,
    PRIMARY KEY (schema_name, table_name)
);

-- Foreign keys from outside that the plan knows; another one would be in the way of the purge.
CREATE TABLE migrator_guard.inbound (
    table_oid oid NOT NULL,
    constraint_name text NOT NULL,
    PRIMARY KEY (table_oid, constraint_name)
);

-- Everything of a table that a purge would take with it, but what is ours; SET SCHEMA leaves it the same.
CREATE FUNCTION migrator_guard.shape_of(rel oid) RETURNS text LANGUAGE sql STABLE
RETURN encode(sha256(convert_to(concat_ws(' ',
    (SELECT string_agg(a.attname || '/' || a.atttypid || '/' || a.attnotnull, ',' ORDER BY a.attnum)
     FROM pg_attribute AS a WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT string_agg(x.indexrelid::text, ',' ORDER BY x.indexrelid) FROM pg_index AS x WHERE x.indrelid = rel),
    (SELECT string_agg(k.oid::text, ',' ORDER BY k.oid) FROM pg_constraint AS k WHERE k.conrelid = rel),
    (SELECT string_agg(p.oid::text, ',' ORDER BY p.oid) FROM pg_policy AS p WHERE p.polrelid = rel),
    (SELECT string_agg(t.oid::text, ',' ORDER BY t.oid) FROM pg_trigger AS t
     WHERE t.tgrelid = rel AND NOT t.tgisinternal AND t.tgname NOT IN ('migrator_guard_block', 'migrator_guard_truncate'))
), 'UTF8')), 'hex');

-- The catalog is still the planned one: no new view, foreign key, column, index, constraint, policy or trigger.
CREATE FUNCTION migrator_guard.unchanged() RETURNS void LANGUAGE plpgsql AS $migrator$
DECLARE
    found_out text;
BEGIN
    SELECT format('%s depends on %s.%s', coalesce(v.oid::regclass::text, pg_describe_object(d.classid, d.objid, 0)), t.schema_name, t.table_name)
    INTO found_out
    FROM migrator_guard.target AS t
    JOIN pg_class AS c ON c.oid = t.oid
    JOIN pg_depend AS d ON d.deptype = 'n' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
        AND (t.shape IS NOT NULL OR EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attnum = d.refobjsubid
            AND a.attname = ANY (ARRAY['encrypted_password', 'sign_in_count', 'reset_password_token', 'confirmation_token', 'failed_attempts', 'current_sign_in_ip', 'confirmed_at', 'migrator_q_encrypted_password', 'migrator_q_sign_in_count', 'migrator_q_reset_password_token', 'migrator_q_confirmation_token', 'migrator_q_failed_attempts', 'migrator_q_current_sign_in_ip', 'migrator_q_confirmed_at']::name[])))
    LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_class AS v ON v.oid = r.ev_class
    WHERE d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass)
      AND NOT EXISTS (SELECT FROM migrator_guard.tripwire AS w WHERE w.view_oid = v.oid) LIMIT 1;
    IF found_out IS NULL THEN
        SELECT format('foreign key %s of %s points to %s.%s', k.conname, k.conrelid::regclass, t.schema_name, t.table_name) INTO found_out
        FROM migrator_guard.target AS t JOIN pg_constraint AS k ON k.contype = 'f' AND k.confrelid = t.oid
        WHERE t.shape IS NOT NULL AND k.conrelid NOT IN (SELECT o.oid FROM migrator_guard.target AS o WHERE o.shape IS NOT NULL)
          AND NOT EXISTS (SELECT FROM migrator_guard.inbound AS i WHERE (i.table_oid, i.constraint_name) = (k.conrelid, k.conname)) LIMIT 1;
    END IF;
    IF found_out IS NULL THEN
        SELECT format('%s.%s has another column, index, constraint, policy or trigger', t.schema_name, t.table_name) INTO found_out
        FROM migrator_guard.target AS t JOIN pg_class AS c ON c.oid = t.oid
        WHERE t.shape IS NOT NULL AND t.shape <> migrator_guard.shape_of(t.oid) LIMIT 1;
    END IF;
    IF found_out IS NOT NULL THEN
        RAISE EXCEPTION 'changed since the plan: %', found_out
            USING ERRCODE = 'MG005', HINT = 'take that back, or: migrator remove revert, then migrator remove plan';
    END IF;
END
$migrator$;

-- The table under this name now is the one that was planned for.
CREATE FUNCTION migrator_guard.expect(planned_schema text, planned_table text, now_in text) RETURNS void
LANGUAGE plpgsql AS $migrator$
BEGIN
    PERFORM FROM migrator_guard.target AS t
    JOIN pg_class AS c ON c.oid = t.oid AND c.relname = t.table_name
    JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = now_in
    WHERE t.schema_name = planned_schema AND t.table_name = planned_table;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the table % in schema % is missing or not the one that was planned for', planned_table, now_in
            USING ERRCODE = 'MG003', HINT = 'revert what is applied (migrator remove revert), then: migrator remove plan';
    END IF;
END
$migrator$;

-- Takes back what default privileges gave to a new object, so that only the planned grants remain.
CREATE FUNCTION migrator_guard.strip_grants(object regclass) RETURNS void LANGUAGE plpgsql AS $migrator$
DECLARE
    given record;
    kind text := (SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END FROM pg_class WHERE oid = object);
BEGIN
    FOR given IN
        SELECT DISTINCT acl.grantee FROM pg_class AS c, aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner))) AS acl
        WHERE c.oid = object
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s', kind, object,
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(given.grantee)) END);
    END LOOP;
END
$migrator$;

CREATE FUNCTION migrator_guard.usable(index regclass) RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    PERFORM FROM pg_index WHERE indexrelid = index AND indisvalid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'index % is not valid', index USING ERRCODE = 'MG004', HINT = 'migrator remove revert builds it again';
    END IF;
END
$migrator$;

CREATE TABLE migrator_guard.archive (
    name text PRIMARY KEY,
    rows bigint NOT NULL,
    sha256 text NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Stands for the files; the drill restored exactly those.
    manifest_sha256 text,
    erased bigint NOT NULL DEFAULT 0,
    drilled_at timestamptz,
    compared_at timestamptz
);

-- Which rows are in which file, so that an erasure rewrites only that; here and not in the files, since keys are personal.
CREATE TABLE migrator_guard.archive_chunk (
    name text NOT NULL,
    file text NOT NULL,
    first_key text[] NOT NULL,
    last_key text[] NOT NULL,
    PRIMARY KEY (name, file)
);

CREATE TABLE migrator_guard.sequence_value (
    schema_name text NOT NULL,
    name text NOT NULL,
    last_value bigint NOT NULL,
    is_called boolean NOT NULL,
    PRIMARY KEY (schema_name, name)
);

CREATE TABLE migrator_guard.orphan (
    table_name text NOT NULL,
    constraint_name text NOT NULL,
    rows bigint NOT NULL,
    some_keys text[],
    PRIMARY KEY (table_name, constraint_name)
);

-- One value as text that no other sequence of values can look like.
CREATE FUNCTION migrator_guard.field(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL THEN 'N' ELSE octet_length(value) || ':' || value END;

-- The command that goes back to where there is no archive, since it no longer holds what is there.
CREATE FUNCTION migrator_guard.before_archive() RETURNS text LANGUAGE sql STABLE
RETURN 'migrator remove revert --to ' || CASE WHEN migrator_guard.is_applied('11_quarantine_columns')
    THEN '11_quarantine_columns' ELSE '05_quarantine_tables' END;

CREATE FUNCTION migrator_guard.equal(found_rows bigint, found_sha256 text, wanted_rows bigint, wanted_sha256 text, what text) RETURNS void
LANGUAGE plpgsql AS $migrator$
BEGIN
    IF (found_rows, found_sha256) IS DISTINCT FROM (wanted_rows, wanted_sha256) THEN
        RAISE EXCEPTION '% differs from the archive: % rows with checksum %, archived % rows with checksum %',
            what, found_rows, left(found_sha256, 12), wanted_rows, left(wanted_sha256, 12)
            USING ERRCODE = 'MG004', HINT = migrator_guard.before_archive() || ', then apply again';
    END IF;
END
$migrator$;

CREATE FUNCTION migrator_guard.same(archive_name text, found_rows bigint, found_sha256 text, what text) RETURNS void
LANGUAGE plpgsql AS $migrator$
DECLARE
    kept migrator_guard.archive;
BEGIN
    SELECT * INTO STRICT kept FROM migrator_guard.archive WHERE name = archive_name;
    PERFORM migrator_guard.equal(found_rows, found_sha256, kept.rows, kept.sha256, what);
END
$migrator$;

CREATE FUNCTION migrator_guard.rows_unchanged(changed bigint, what text) RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    IF changed <> 0 THEN
        RAISE EXCEPTION '% differs from the archive in % rows', what, changed
            USING ERRCODE = 'MG004', HINT = migrator_guard.before_archive() || ', then apply again';
    END IF;
END
$migrator$;

CREATE FUNCTION migrator_guard.archived(archive_name text, archive_step text) RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    PERFORM FROM migrator_guard.archive WHERE name = archive_name AND manifest_sha256 IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% has no archive that is recorded here', archive_name
            USING ERRCODE = 'MG004', HINT = format('migrator remove apply --to %s writes it', archive_step);
    END IF;
END
$migrator$;

CREATE FUNCTION migrator_guard.proven(archive_name text) RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    PERFORM FROM migrator_guard.archive WHERE name = archive_name AND manifest_sha256 IS NOT NULL AND drilled_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the archive of % was not proven by restoring it', archive_name
            USING ERRCODE = 'MG004', HINT = 'migrator remove drill --identity file:KEY, then the same again';
    END IF;
END
$migrator$;

CREATE FUNCTION migrator_guard.loaded(archive_name text) RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    IF to_regclass(format('migrator_archive.%I', archive_name)) IS NULL THEN
        RAISE EXCEPTION 'the archive of % is not loaded', archive_name
            USING ERRCODE = 'MG004', HINT = 'migrator remove revert --identity file:KEY loads it first';
    END IF;
END
$migrator$;

-- Transactions of ours that may write past the write-block: the application cannot put itself in.
CREATE TABLE migrator_guard.writer (
    xid xid8 PRIMARY KEY
);

CREATE FUNCTION migrator_guard.approve_writer() RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    PERFORM migrator_guard.check_lease();
    DELETE FROM migrator_guard.writer;
    INSERT INTO migrator_guard.writer (xid) VALUES (pg_current_xact_id());
END
$migrator$;

-- Runs as its owner, since the application may not touch this schema; the number outlives the abort.
CREATE FUNCTION migrator_guard.block_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $migrator$
BEGIN
    IF EXISTS (SELECT FROM migrator_guard.writer WHERE xid = pg_current_xact_id()) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    PERFORM nextval(format('migrator_guard.%I', TG_ARGV[0])::regclass);
    RAISE EXCEPTION 'table %.% is archived and about to be dropped: it takes no more writes', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = '55000', HINT = 'migrator remove status';
END
$migrator$;
REVOKE ALL ON FUNCTION migrator_guard.block_write() FROM PUBLIC;

-- O(1): the write-block is in place, nobody ran into it, and the comparison is recent.
CREATE FUNCTION migrator_guard.unwritten(blocked regclass, archive_name text, rejected regclass) RETURNS void
LANGUAGE plpgsql AS $migrator$
DECLARE
    was_hit boolean;
BEGIN
    PERFORM FROM pg_trigger WHERE tgrelid = blocked AND tgname = 'migrator_guard_block' AND tgenabled = 'A';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the write-block on % is gone or disabled', blocked
            USING ERRCODE = 'MG004', HINT = migrator_guard.before_archive() || ', then apply again';
    END IF;
    EXECUTE format('SELECT is_called FROM %s', rejected) INTO was_hit;
    IF was_hit THEN
        RAISE EXCEPTION 'something still writes to %: the write-block refused it', blocked
            USING ERRCODE = 'MG004', HINT = 'find the writer in the server log (SQLSTATE 55000), then: ' || migrator_guard.before_archive() || ', then apply again';
    END IF;
    PERFORM FROM migrator_guard.archive WHERE name = archive_name AND compared_at > clock_timestamp() - interval '15 minutes';
    IF NOT FOUND THEN
        RAISE EXCEPTION '% was not compared with its archive in the last 15 minutes', blocked
            USING ERRCODE = 'MG004', HINT = 'migrator remove apply compares again';
    END IF;
END
$migrator$;

-- What stops a stray DROP TABLE or TRUNCATE, by OID.
CREATE TABLE migrator_guard.tripwire (
    schema_name text NOT NULL,
    table_name text NOT NULL,
    view_oid oid NOT NULL,
    trigger_oid oid NOT NULL,
    PRIMARY KEY (schema_name, table_name)
);

CREATE FUNCTION migrator_guard.block_truncate() RETURNS trigger LANGUAGE plpgsql AS $migrator$
BEGIN
    RAISE EXCEPTION 'table %.% is about to be removed with a way back: it is not truncated', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = '55000', HINT = 'migrator remove status';
END
$migrator$;

-- By OID: what has the same name is not ours.
CREATE FUNCTION migrator_guard.drop_tripwire(of_schema text, of_table text) RETURNS void LANGUAGE plpgsql AS $migrator$
DECLARE
    ours migrator_guard.tripwire;
    trigger_name text;
    on_table regclass;
    view_name text;
BEGIN
    DELETE FROM migrator_guard.tripwire WHERE schema_name = of_schema AND table_name = of_table RETURNING * INTO ours;
    SELECT c.oid::regclass INTO view_name FROM pg_class AS c WHERE c.oid = ours.view_oid AND c.relkind = 'v';
    SELECT t.tgname, t.tgrelid INTO trigger_name, on_table FROM pg_trigger AS t WHERE t.oid = ours.trigger_oid;
    IF view_name IS NULL OR trigger_name IS NULL THEN
        RAISE EXCEPTION 'the tripwires of %.% are not the ones that were set', of_schema, of_table
            USING ERRCODE = 'MG003', HINT = 'find out who took them away; migrator remove status';
    END IF;
    EXECUTE format('DROP VIEW %s RESTRICT', view_name);
    EXECUTE format('DROP TRIGGER %I ON %s RESTRICT', trigger_name, on_table);
END
$migrator$;

-- What was heard since the tables were taken away.
CREATE TABLE migrator_guard.scream (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    looked_at timestamptz,
    control_counted boolean NOT NULL DEFAULT false,
    refusals bigint,
    unproven text NOT NULL DEFAULT '',
    -- Since the columns were renamed, when the tables' own window is over.
    of_columns boolean NOT NULL DEFAULT false
);

CREATE FUNCTION migrator_guard.may_use(role name, rel oid) RETURNS boolean LANGUAGE sql STABLE
RETURN has_table_privilege(role, rel, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
    OR has_any_column_privilege(role, rel, 'SELECT, INSERT, UPDATE, REFERENCES');

CREATE FUNCTION migrator_guard.withdrawn(rel regclass, roles name[]) RETURNS void LANGUAGE plpgsql AS $migrator$
DECLARE
    still text := (SELECT string_agg(r.name, ', ') FROM unnest(roles) AS r(name) WHERE migrator_guard.may_use(r.name, rel));
BEGIN
    IF still IS NOT NULL THEN
        RAISE EXCEPTION '% may still use %', still, rel
            USING ERRCODE = 'MG003', HINT = 'rights changed since the plan: migrator remove revert, then migrator remove plan';
    END IF;
END
$migrator$;

CREATE FUNCTION migrator_guard.unproven(reasons text) RETURNS void LANGUAGE plpgsql AS $migrator$
BEGIN
    RAISE EXCEPTION 'the scream window is UNPROVEN: %', reasons
        USING ERRCODE = 'MG008', HINT = 'mend it (migrator remove revert, then migrator remove plan), or accept it: acknowledged = ["scream_window"] in [remove]';
END
$migrator$;

CREATE FUNCTION migrator_guard.nobody_screamed(long_enough interval) RETURNS void LANGUAGE plpgsql AS $migrator$
DECLARE
    heard migrator_guard.scream;
BEGIN
    SELECT * INTO STRICT heard FROM migrator_guard.scream;
    IF heard.looked_at IS NULL OR heard.looked_at < clock_timestamp() - interval '15 minutes' THEN
        RAISE EXCEPTION 'nobody looked for refused statements in the last 15 minutes'
            USING ERRCODE = 'MG008', HINT = 'migrator remove apply looks';
    ELSIF heard.unproven <> '' OR NOT heard.control_counted THEN
        PERFORM migrator_guard.unproven(coalesce(nullif(heard.unproven, ''), 'a refusal that was planted was not found in the log'));
    ELSIF heard.refusals > 0 THEN
        RAISE EXCEPTION '% statements were refused since %: something still uses what goes', heard.refusals, heard.opened_at
            USING ERRCODE = 'MG009', HINT = 'migrator remove status tells whose; mend them, then begin the window anew: migrator remove revert --to '
            || CASE WHEN migrator_guard.is_applied('11_quarantine_columns') THEN '10_loosen_columns' ELSE '03_revoke' END;
    ELSIF heard.opened_at + long_enough > clock_timestamp() THEN
        RAISE EXCEPTION 'the scream window runs until %', heard.opened_at + long_enough
            USING ERRCODE = 'MG008', HINT = 'then: migrator remove apply';
    END IF;
END
$migrator$;

INSERT INTO migrator_guard.target (schema_name, table_name, oid) VALUES ('Odd Schema', 'wörter "quoted" and long: 0123456789012345678901234567890', 1001);
INSERT INTO migrator_guard.target (schema_name, table_name, oid) VALUES ('public', 'tokens', 1002);
INSERT INTO migrator_guard.target (schema_name, table_name, oid) VALUES ('public', 'scratch', 1003);
INSERT INTO migrator_guard.target (schema_name, table_name, oid) VALUES ('public', 'users', 1000);
INSERT INTO migrator_guard.inbound (table_oid, constraint_name) VALUES (1004, 'to tokens');
UPDATE migrator_guard.target SET shape = migrator_guard.shape_of(oid) WHERE schema_name = 'Odd Schema' AND table_name = 'wörter "quoted" and long: 0123456789012345678901234567890';
UPDATE migrator_guard.target SET shape = migrator_guard.shape_of(oid) WHERE schema_name = 'public' AND table_name = 'tokens';
UPDATE migrator_guard.target SET shape = migrator_guard.shape_of(oid) WHERE schema_name = 'public' AND table_name = 'scratch';
UPDATE migrator_guard.step SET state = CASE step WHEN '17_finalize' THEN 'reverting' ELSE 'applied' END;
INSERT INTO migrator_guard.unit (step, direction, unit) VALUES ('17_finalize', 'revert', 'reopen');
COMMIT;

-- `migrator remove revert` has put the checksums of the archives back from its state by now.
-- unit: settle
BEGIN;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SELECT migrator_guard.enter('17_finalize', 'settle', 'revert', 'dcfa1b52332d83b6');
SELECT migrator_guard.verified(count(*) = 4, 'the record of the archives is back: migrator remove revert brings it')
FROM migrator_guard.archive;
SELECT migrator_guard.leave('17_finalize', 'settle', 'revert', true);
COMMIT;
