-- name: exists
SELECT COUNT(*) AS found FROM information_schema.tables WHERE table_schema = %(guard)s AND table_name = 'plan';

-- name: plan
SELECT plan_id FROM {guard}.plan;

-- name: steps
SELECT step, state, at FROM {guard}.step ORDER BY step;

-- name: done_units
SELECT unit FROM {guard}.unit WHERE step = %(step)s AND direction = %(direction)s;

-- name: archives
SELECT name, "rows", sha256, archived_at, COALESCE(manifest_sha256, '') AS manifest_sha256, erased, drilled_at
FROM {guard}.archive ORDER BY name;

-- name: enter
CALL {guard}.enter(%(step)s, %(unit)s, 'deploy', %(plan_id)s);

-- name: leave
CALL {guard}.leave(%(step)s, %(unit)s, 'deploy', FALSE);

-- name: is_loaded
-- Whole in the archive database, or never dropped.
SELECT EXISTS (SELECT 1 FROM {guard}.loaded WHERE name = %(name)s) OR {guard}.is_there(%(quarantine)s, %(name)s) AS found;

-- name: record_loaded
REPLACE INTO {guard}.loaded (name) VALUES (%(name)s);

-- name: check_lease
CALL {guard}.check_lease();

-- name: record_archive
REPLACE INTO {guard}.archive (name, "rows", sha256, manifest_sha256)
VALUES (%(name)s, %(rows)s, %(sha256)s, %(manifest_sha256)s);

-- name: record_drill
UPDATE {guard}.archive SET drilled_at = UTC_TIMESTAMP(6) WHERE name = %(name)s AND manifest_sha256 = %(manifest_sha256)s;

-- name: is_recorded
SELECT name FROM {guard}.archive WHERE name = %(name)s AND manifest_sha256 = %(manifest_sha256)s;

-- name: record_refill
UPDATE {guard}.archive SET "rows" = %(rows)s, sha256 = %(sha256)s, manifest_sha256 = NULL, drilled_at = NULL WHERE name = %(name)s;

-- name: record_renewal
-- Tables that no row was erased from keep their drill: their files are the same.
UPDATE {guard}.archive SET manifest_sha256 = %(manifest_sha256)s WHERE name IN %(names)s;

-- name: record_erasure
UPDATE {guard}.archive SET "rows" = %(rows)s, sha256 = %(sha256)s, drilled_at = NULL WHERE name = %(name)s;

-- name: record_erasures
-- After the purge: rows that no longer come back, though the files hold them.
UPDATE {guard}.archive SET erased = %(erased)s WHERE name = %(name)s;

-- name: approve_writer
CALL {guard}.approve_writer();

-- name: dismiss_writer
DELETE FROM {guard}.writer;

-- name: orphans
SELECT table_name, constraint_name, "rows", some_keys FROM {guard}.orphan ORDER BY table_name, constraint_name;

-- name: target
SELECT CONCAT(DATABASE(), ':', @@hostname, ':', @@port) AS target;

-- name: holder
-- The lease is held for as long as the session that took it lives.
SELECT holder, fence, taken_at, CONCAT('the end of connection ', IS_USED_LOCK(%(guard)s)) AS expires_at, IS_USED_LOCK(%(guard)s) IS NOT NULL AS live FROM {guard}.lease;

-- name: take_lease
CALL {guard}.take_lease(%(holder)s);

-- name: release_lease
DO RELEASE_LOCK(%(guard)s);

-- name: fence
SELECT @migrator_fence AS fence;

-- name: present_evidence
REPLACE INTO {guard}.evidence (step, plan_id, plan_hash, evidence_hash, table_ids, expires_at)
SELECT %(step)s, %(plan_id)s, %(plan_hash)s, %(evidence_hash)s, GROUP_CONCAT(t.table_id ORDER BY t.name),
       UTC_TIMESTAMP(6) + INTERVAL ROUND(%(seconds)s * 1000000) MICROSECOND
FROM {guard}.target AS t;

-- name: record_archives
SELECT name, "rows", sha256, manifest_sha256, erased, archived_at, drilled_at FROM {guard}.archive ORDER BY name;

-- name: record_counters
SELECT name, value FROM {guard}.counter ORDER BY name;

-- name: record_targets
SELECT name, table_id FROM {guard}.target ORDER BY name;

-- name: restore_archive
REPLACE INTO {guard}.archive (name, "rows", sha256, manifest_sha256, erased, archived_at, drilled_at)
VALUES (%(name)s, %(rows)s, %(sha256)s, %(manifest_sha256)s, %(erased)s, %(archived_at)s, %(drilled_at)s);

-- name: restore_counter
REPLACE INTO {guard}.counter (name, value) VALUES (%(name)s, %(value)s);

-- name: restore_target
REPLACE INTO {guard}.target (name, table_id) VALUES (%(name)s, %(table_id)s);

-- name: plugin
SELECT COUNT(*) AS found FROM information_schema.plugins WHERE plugin_name = 'METADATA_LOCK_INFO' AND plugin_status = 'ACTIVE';

-- name: metadata_locks
-- Who holds a metadata lock on the tables now; no statement's text, it may carry secrets.
SELECT DISTINCT p.id, p.user, p.command, p.time AS seconds, m.lock_mode AS mode
FROM information_schema.metadata_lock_info AS m JOIN information_schema.processlist AS p ON p.id = m.thread_id
WHERE m.table_schema IN (DATABASE(), %(quarantine)s) AND m.table_name IN (SELECT t.name FROM {guard}.target AS t) AND p.id <> CONNECTION_ID()
ORDER BY p.time DESC LIMIT 10;

-- name: open_transactions
SELECT p.id, p.user, p.command, p.time AS seconds, 'an open transaction' AS mode
FROM information_schema.innodb_trx AS t JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id
WHERE p.id <> CONNECTION_ID() ORDER BY t.trx_started LIMIT 10;
