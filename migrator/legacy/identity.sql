-- name: create_identity
CREATE TABLE IF NOT EXISTS {identity} (
  source text NOT NULL,
  user_pk text NOT NULL,
  auther_id text NOT NULL UNIQUE,
  home text NOT NULL DEFAULT 'legacy' CHECK (home IN ('legacy', 'auther')),
  origin text NOT NULL DEFAULT 'import' CHECK (origin IN ('import', 'jit', 'link')),
  pinned_reason text,
  legacy_hash_fp text,
  auth_valid_after timestamptz,
  last_legacy_at timestamptz,
  last_auther_at timestamptz,
  PRIMARY KEY (source, user_pk)
)

-- name: create_signed_out
-- Shims ask every other second for whom legacy sessions count no more.
CREATE INDEX IF NOT EXISTS migrator_identity_signed_out ON {identity} (source, user_pk)
WHERE auth_valid_after IS NOT NULL

-- name: create_instance
CREATE TABLE IF NOT EXISTS {instance} (
  instance text PRIMARY KEY,
  build text NOT NULL,
  baked text NOT NULL,
  stage text NOT NULL,
  epoch bigint NOT NULL,
  source text NOT NULL,
  legacy_capable boolean NOT NULL,
  seen_at timestamptz NOT NULL
)

-- name: create_shadow
-- What Auther said, beside Devise, to passwords that Devise had just accepted: the newest answer.
CREATE TABLE IF NOT EXISTS {shadow} (
  source text NOT NULL,
  user_pk text NOT NULL,
  matched boolean NOT NULL,
  reason text NOT NULL,
  checks integer NOT NULL DEFAULT 1,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source, user_pk)
)

-- name: create_tombstone
-- Deleted at Auther: no token that is still out there may make them a row again.
CREATE TABLE IF NOT EXISTS {tombstone} (
  auther_id text PRIMARY KEY,
  until timestamptz NOT NULL
)

-- name: create_token
-- Tokens too large for a cookie, sealed with a key that only the browser's cookie holds.
CREATE TABLE IF NOT EXISTS {token} (
  handle_hash text PRIMARY KEY,
  sealed text NOT NULL,
  expires_at timestamptz NOT NULL
)

-- name: create_process
-- Each process that counts in memory: before it accepts anything, and with its last counts when it ends by itself.
CREATE TABLE IF NOT EXISTS {process} (
  instance text NOT NULL,
  started_at double precision NOT NULL,
  pid integer NOT NULL,
  began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  heard_at timestamptz,
  ended_at timestamptz,
  counts text,
  PRIMARY KEY (instance, started_at, pid)
)

-- name: exists
SELECT to_regclass(%(table)s) IS NOT NULL

-- name: application_roles
-- Whoever owns the users table or may update it is the application.
SELECT DISTINCT pg_get_userbyid(r.role)
FROM pg_class AS c
CROSS JOIN LATERAL (
  SELECT c.relowner
  UNION
  SELECT a.grantee FROM aclexplode(c.relacl) AS a WHERE a.privilege_type = 'UPDATE'
) AS r (role)
WHERE c.oid = to_regclass(%(users)s) AND r.role <> 0
  AND pg_get_userbyid(r.role) <> current_user

-- name: grant
GRANT SELECT, INSERT, UPDATE ON {identity}, {instance}, {shadow} TO {role}

-- name: grant_more
GRANT SELECT, INSERT, UPDATE, DELETE ON {tombstone}, {token}, {process} TO {role}

-- name: of_users
SELECT user_pk, auther_id, home, origin FROM {identity}
WHERE source = %(source)s AND user_pk = ANY(%(pks)s)

-- name: claims
SELECT user_pk, auther_id, pinned_reason, legacy_hash_fp FROM {identity}
WHERE source = %(source)s AND user_pk = ANY(%(pks)s)

-- name: lines_of_users
COPY (
  SELECT source, user_pk, auther_id, pinned_reason, legacy_hash_fp, home, origin FROM {identity}
  WHERE source = %(source)s AND user_pk = ANY(%(pks)s)
) TO STDOUT

-- name: of_auther_ids
SELECT auther_id, source, user_pk FROM {identity} WHERE auther_id = ANY(%(ids)s)

-- name: claim
COPY {identity} (source, user_pk, auther_id, pinned_reason, legacy_hash_fp) FROM STDIN

-- name: link
INSERT INTO {identity} (source, user_pk, auther_id, origin)
VALUES (%(source)s, %(pk)s, %(auther_id)s, 'link')

-- name: unlink
DELETE FROM {identity} WHERE source = %(source)s AND origin = 'link' RETURNING user_pk

-- name: renew
UPDATE {identity} SET pinned_reason = %(pinned)s, legacy_hash_fp = %(fingerprint)s
WHERE source = %(source)s AND user_pk = %(pk)s AND auther_id = %(auther_id)s

-- name: release
DELETE FROM {identity}
WHERE source = %(source)s AND origin = 'import' AND auther_id = ANY(%(ids)s)

-- name: page
SELECT user_pk, auther_id, home, pinned_reason, legacy_hash_fp FROM {identity}
WHERE source = %(source)s AND origin = 'import' AND user_pk > %(after)s
ORDER BY user_pk
LIMIT %(rows)s

-- name: orphans
SELECT user_pk, auther_id FROM {identity} AS i
WHERE source = %(source)s AND origin = 'import' AND user_pk > %(after)s
  AND NOT EXISTS (SELECT FROM {users} AS u WHERE u.{id}::text = i.user_pk)
ORDER BY user_pk
LIMIT %(rows)s

-- name: count
SELECT count(*) FROM {identity} WHERE source = %(source)s AND origin = 'import'

-- name: count_all
SELECT count(*) FROM {identity}

-- name: is_empty
SELECT NOT EXISTS (SELECT FROM {identity}) AND NOT EXISTS (SELECT FROM {instance})

-- name: drop
DROP TABLE IF EXISTS {identity}, {instance}, {shadow}, {write_back}, {tombstone}, {token}, {session}, {process}
