-- name: create_identity
CREATE TABLE IF NOT EXISTS {identity} (
  source text NOT NULL,
  user_pk text NOT NULL,
  auther_id text NOT NULL UNIQUE,
  home text NOT NULL DEFAULT 'legacy' CHECK (home IN ('legacy', 'auther')),
  origin text NOT NULL DEFAULT 'import' CHECK (origin IN ('import', 'jit', 'link')),
  pinned_reason text,
  legacy_hash_fp text,
  auth_valid_after datetime,
  last_legacy_at datetime,
  last_auther_at datetime,
  PRIMARY KEY (source, user_pk)
)

-- name: create_signed_out
-- For shims, and there are none for this database.
SELECT 1

-- name: create_instance
CREATE TABLE IF NOT EXISTS {instance} (
  instance text NOT NULL PRIMARY KEY,
  build text NOT NULL,
  baked text NOT NULL,
  stage text NOT NULL,
  epoch integer NOT NULL,
  source text NOT NULL,
  legacy_capable boolean NOT NULL,
  seen_at datetime NOT NULL
)

-- name: create_shadow
-- What Auther said, beside Devise, to passwords that Devise had just accepted: the newest answer.
CREATE TABLE IF NOT EXISTS {shadow} (
  source text NOT NULL,
  user_pk text NOT NULL,
  matched boolean NOT NULL,
  reason text NOT NULL,
  checks integer NOT NULL DEFAULT 1,
  seen_at datetime NOT NULL DEFAULT (strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')),
  PRIMARY KEY (source, user_pk)
)

-- name: create_tombstone
-- Deleted at Auther: no token that is still out there may make them a row again.
CREATE TABLE IF NOT EXISTS {tombstone} (
  auther_id text NOT NULL PRIMARY KEY,
  until datetime NOT NULL
)

-- name: create_token
-- Tokens too large for a cookie, sealed with a key that only the browser's cookie holds.
CREATE TABLE IF NOT EXISTS {token} (
  handle_hash text NOT NULL PRIMARY KEY,
  sealed text NOT NULL,
  expires_at datetime NOT NULL
)

-- name: create_process
-- For shims, and there are none for this database.
SELECT 1

-- name: exists
SELECT EXISTS (SELECT 1 FROM pragma_table_info(%(name)s, %(schema)s))

-- name: application_roles
-- Whoever may open the file may use every table in it.
SELECT NULL WHERE FALSE

-- name: grant
SELECT NULL WHERE FALSE

-- name: grant_more
SELECT NULL WHERE FALSE

-- name: of_users
SELECT user_pk, auther_id, home, origin FROM {identity}
WHERE source = %(source)s AND user_pk IN (SELECT value FROM json_each(%(pks)s))

-- name: claims
SELECT user_pk, auther_id, pinned_reason, legacy_hash_fp FROM {identity}
WHERE source = %(source)s AND user_pk IN (SELECT value FROM json_each(%(pks)s))

-- name: lines_of_users
SELECT source, user_pk, auther_id, pinned_reason, legacy_hash_fp, home, origin FROM {identity}
WHERE source = %(source)s AND user_pk IN (SELECT value FROM json_each(%(pks)s))

-- name: of_auther_ids
SELECT auther_id, source, user_pk FROM {identity}
WHERE auther_id IN (SELECT value FROM json_each(%(ids)s))

-- name: claim
INSERT INTO {identity} (source, user_pk, auther_id, pinned_reason, legacy_hash_fp)
VALUES (?, ?, ?, ?, ?)

-- name: release
DELETE FROM {identity}
WHERE source = %(source)s AND origin = 'import'
  AND auther_id IN (SELECT value FROM json_each(%(ids)s))

-- name: orphans
SELECT user_pk, auther_id FROM {identity} AS i
WHERE source = %(source)s AND origin = 'import' AND user_pk > %(after)s
  AND i.user_pk NOT IN (SELECT CAST(u.{id} AS TEXT) FROM {users} AS u WHERE u.{id} IS NOT NULL)
ORDER BY user_pk
LIMIT %(rows)s

-- name: is_empty
SELECT NOT EXISTS (SELECT 1 FROM {identity}) AND NOT EXISTS (SELECT 1 FROM {instance})

-- name: drop
DROP TABLE IF EXISTS {identity};
DROP TABLE IF EXISTS {instance};
DROP TABLE IF EXISTS {shadow};
DROP TABLE IF EXISTS {write_back};
DROP TABLE IF EXISTS {tombstone};
DROP TABLE IF EXISTS {token}
