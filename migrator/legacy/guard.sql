-- name: exists
SELECT to_regclass('migrator_guard.plan') IS NOT NULL AS found;

-- name: plan
SELECT plan_id FROM migrator_guard.plan;

-- name: steps
SELECT step, state, at FROM migrator_guard.step ORDER BY step;

-- name: done_units
SELECT unit FROM migrator_guard.unit WHERE step = %(step)s AND direction = %(direction)s;

-- name: archives
SELECT name, rows, sha256, archived_at, coalesce(manifest_sha256, '') AS manifest_sha256, erased, drilled_at
FROM migrator_guard.archive ORDER BY name;

-- name: enter
SELECT migrator_guard.enter(%(step)s, %(unit)s, 'deploy', %(plan_id)s);

-- name: leave
SELECT migrator_guard.leave(%(step)s, %(unit)s, 'deploy', false);

-- name: is_loaded
SELECT to_regclass(format('migrator_archive.%%I', %(name)s::text)) IS NOT NULL AS found;

-- name: check_lease
SELECT migrator_guard.check_lease();

-- name: approve_writer
SELECT migrator_guard.approve_writer();

-- name: record_archive
INSERT INTO migrator_guard.archive (name, rows, sha256, manifest_sha256)
VALUES (%(name)s, %(rows)s, %(sha256)s, %(manifest_sha256)s)
ON CONFLICT (name) DO UPDATE SET rows = EXCLUDED.rows, sha256 = EXCLUDED.sha256,
  manifest_sha256 = EXCLUDED.manifest_sha256, archived_at = clock_timestamp(), compared_at = NULL, drilled_at = NULL;

-- name: forget_chunks
DELETE FROM migrator_guard.archive_chunk WHERE name = %(name)s;

-- name: record_chunk
INSERT INTO migrator_guard.archive_chunk (name, file, first_key, last_key)
VALUES (%(name)s, %(file)s, %(first_key)s, %(last_key)s);

-- name: chunks
SELECT file, first_key, last_key FROM migrator_guard.archive_chunk WHERE name = %(name)s ORDER BY file;

-- name: forget_chunk
DELETE FROM migrator_guard.archive_chunk WHERE name = %(name)s AND file = %(file)s;

-- name: record_drill
UPDATE migrator_guard.archive SET drilled_at = clock_timestamp()
WHERE name = %(name)s AND manifest_sha256 = %(manifest_sha256)s RETURNING name;

-- name: record_renewal
-- Tables that no row was erased from keep their drill: their files are the same.
UPDATE migrator_guard.archive SET manifest_sha256 = %(manifest_sha256)s WHERE name = ANY(%(names)s);

-- name: record_erasure
UPDATE migrator_guard.archive SET rows = %(rows)s, sha256 = %(sha256)s, compared_at = NULL, drilled_at = NULL
WHERE name = %(name)s;

-- name: record_erasures
-- After the purge: rows that no longer come back, though the files hold them.
UPDATE migrator_guard.archive SET erased = %(erased)s WHERE name = %(name)s;

-- name: record_refill
-- What came back is less than what the files hold: they are not this table's archive any more.
UPDATE migrator_guard.archive SET rows = %(rows)s, sha256 = %(sha256)s, manifest_sha256 = NULL, drilled_at = NULL
WHERE name = %(name)s;

-- name: orphans
SELECT table_name, constraint_name, rows, coalesce(some_keys, '{}') AS some_keys FROM migrator_guard.orphan
ORDER BY table_name, constraint_name;

-- name: target
-- Which database this is: a copy of it under the same name is another one.
SELECT datname::text || ':' || oid AS target FROM pg_database WHERE datname = current_database();

-- name: holder
SELECT holder, fence, expires_at, expires_at > clock_timestamp() AS live FROM migrator_guard.lease;

-- name: wait_briefly
SELECT set_config('lock_timeout', '1s', true);

-- name: take_lease
SELECT migrator_guard.take_lease(%(holder)s, %(seconds)s) AS fence;

-- name: carry_fence
-- Every transaction of this session shows this number to the guard.
SELECT set_config('migrator.fence', %(fence)s, false);

-- name: carry_fence_here
SELECT set_config('migrator.fence', %(fence)s, true);

-- name: release_lease
UPDATE migrator_guard.lease SET expires_at = clock_timestamp() WHERE fence = %(fence)s;

-- name: present_evidence
-- Good for the tables that are there now, by OID.
INSERT INTO migrator_guard.evidence (step, plan_id, plan_hash, evidence_hash, oids, expires_at)
SELECT %(step)s, %(plan_id)s, %(plan_hash)s, %(evidence_hash)s, array_agg(t.oid ORDER BY t.oid),
       clock_timestamp() + %(seconds)s * interval '1 second' FROM migrator_guard.target t
ON CONFLICT (step) DO UPDATE SET plan_id = EXCLUDED.plan_id, plan_hash = EXCLUDED.plan_hash,
  evidence_hash = EXCLUDED.evidence_hash, oids = EXCLUDED.oids, expires_at = EXCLUDED.expires_at;

-- name: heard
UPDATE migrator_guard.scream SET looked_at = clock_timestamp(), refusals = %(refusals)s, control_counted = %(counted)s,
  unproven = %(unproven)s;

-- name: scream
SELECT opened_at, looked_at, control_counted, refusals, unproven FROM migrator_guard.scream;

-- name: record
-- What only the guard schema knows, for the day on which it is made again.
SELECT (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.name), '[]') FROM migrator_guard.archive a) AS archives,
       (SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c.name, c.file), '[]') FROM migrator_guard.archive_chunk c) AS chunks,
       (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.schema_name, s.name), '[]') FROM migrator_guard.sequence_value s) AS sequences,
       (SELECT jsonb_agg(to_jsonb(t)) FROM migrator_guard.target t) AS targets,
       (SELECT to_jsonb(w) FROM migrator_guard.scream w) AS scream;

-- name: restore_archives
INSERT INTO migrator_guard.archive
SELECT r.* FROM jsonb_populate_recordset(NULL::migrator_guard.archive, %(rows)s) r ON CONFLICT DO NOTHING;

-- name: restore_chunks
INSERT INTO migrator_guard.archive_chunk
SELECT r.* FROM jsonb_populate_recordset(NULL::migrator_guard.archive_chunk, %(rows)s) r ON CONFLICT DO NOTHING;

-- name: restore_sequences
INSERT INTO migrator_guard.sequence_value
SELECT r.* FROM jsonb_populate_recordset(NULL::migrator_guard.sequence_value, %(rows)s) r ON CONFLICT DO NOTHING;

-- name: restore_targets
-- A table that was written anew on an earlier way back has not the OID that was planned for.
WITH kept AS (SELECT * FROM jsonb_populate_recordset(NULL::migrator_guard.target, %(rows)s)),
moved AS (UPDATE migrator_guard.inbound i SET table_oid = k.oid
          FROM kept k JOIN migrator_guard.target t USING (schema_name, table_name) WHERE i.table_oid = t.oid)
UPDATE migrator_guard.target t SET oid = k.oid FROM kept k
WHERE (t.schema_name, t.table_name) = (k.schema_name, k.table_name);

-- name: restore_scream
INSERT INTO migrator_guard.scream
SELECT r.* FROM jsonb_populate_recordset(NULL::migrator_guard.scream, %(rows)s) r ON CONFLICT DO NOTHING;

-- name: step_back
-- A step whose one transaction never committed has nothing to undo.
UPDATE migrator_guard.step SET state = 'pending', at = clock_timestamp() WHERE step = %(step)s AND state = 'applying';

-- name: in_the_way
-- Who holds a lock on these tables now, and for whom these wait themselves; no query text, it may carry secrets.
SELECT a.pid, a.usename::text AS role, a.application_name AS application, coalesce(a.state, a.backend_type) AS state,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start))::int AS seconds,
       extract(epoch FROM clock_timestamp() - a.query_start)::int AS query_seconds,
       pg_blocking_pids(a.pid) AS waits_for,
       string_agg(DISTINCT l.mode, ', ' ORDER BY l.mode) AS modes
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.relation = ANY(%(oids)s::oid[]) AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
GROUP BY a.pid, a.usename, a.application_name, a.state, a.backend_type, a.xact_start, a.query_start
ORDER BY 5 DESC NULLS LAST
LIMIT 10;
