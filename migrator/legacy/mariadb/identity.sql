-- name: create_identity
CREATE TABLE IF NOT EXISTS {identity} (
  source varchar(191) NOT NULL,
  user_pk varchar(255) NOT NULL,
  auther_id varchar(255) NOT NULL UNIQUE,
  home varchar(8) NOT NULL DEFAULT 'legacy' CHECK (home IN ('legacy', 'auther')),
  origin varchar(8) NOT NULL DEFAULT 'import' CHECK (origin IN ('import', 'jit', 'link')),
  pinned_reason varchar(191),
  legacy_hash_fp varchar(64),
  auth_valid_after datetime(6),
  last_legacy_at datetime(6),
  last_auther_at datetime(6),
  PRIMARY KEY (source, user_pk)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin

-- name: create_signed_out
-- For shims, and there are none for this database.
SELECT 1

-- name: create_instance
CREATE TABLE IF NOT EXISTS {instance} (
  instance varchar(191) PRIMARY KEY,
  build varchar(191) NOT NULL,
  baked varchar(32) NOT NULL,
  stage varchar(32) NOT NULL,
  epoch bigint NOT NULL,
  source varchar(191) NOT NULL,
  legacy_capable boolean NOT NULL,
  seen_at datetime(6) NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin

-- name: create_shadow
-- What Auther said, beside Devise, to passwords that Devise had just accepted: the newest answer.
CREATE TABLE IF NOT EXISTS {shadow} (
  source varchar(191) NOT NULL,
  user_pk varchar(255) NOT NULL,
  matched boolean NOT NULL,
  reason varchar(191) NOT NULL,
  checks integer NOT NULL DEFAULT 1,
  seen_at datetime(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  PRIMARY KEY (source, user_pk)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin

-- name: create_tombstone
-- Deleted at Auther: no token that is still out there may make them a row again.
CREATE TABLE IF NOT EXISTS {tombstone} (
  auther_id varchar(255) PRIMARY KEY,
  until datetime(6) NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin

-- name: create_token
-- Tokens too large for a cookie, sealed with a key that only the browser's cookie holds.
CREATE TABLE IF NOT EXISTS {token} (
  handle_hash varchar(191) PRIMARY KEY,
  sealed mediumtext NOT NULL,
  expires_at datetime(6) NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin

-- name: create_process
-- For shims, and there are none for this database.
SELECT 1

-- name: exists
SELECT EXISTS (
  SELECT 1 FROM information_schema.tables
  WHERE table_schema = %(schema)s AND table_name = %(name)s
)

-- name: application_roles
-- Nothing in the application uses these tables: there is no shim for it on this database.
SELECT NULL FROM DUAL WHERE FALSE

-- name: grant
SELECT NULL FROM DUAL WHERE FALSE

-- name: grant_more
SELECT NULL FROM DUAL WHERE FALSE

-- name: of_users
SELECT user_pk, auther_id, home, origin FROM {identity}
WHERE source = %(source)s AND user_pk IN %(pks)s

-- name: claims
SELECT user_pk, auther_id, pinned_reason, legacy_hash_fp FROM {identity}
WHERE source = %(source)s AND user_pk IN %(pks)s

-- name: lines_of_users
SELECT source, user_pk, auther_id, pinned_reason, legacy_hash_fp, home, origin FROM {identity}
WHERE source = %(source)s AND user_pk IN %(pks)s

-- name: of_auther_ids
SELECT auther_id, source, user_pk FROM {identity} WHERE auther_id IN %(ids)s

-- name: claim
INSERT INTO {identity} (source, user_pk, auther_id, pinned_reason, legacy_hash_fp)
VALUES (%s, %s, %s, %s, %s)

-- name: release
DELETE FROM {identity}
WHERE source = %(source)s AND origin = 'import' AND auther_id IN %(ids)s

-- name: orphans
SELECT user_pk, auther_id FROM {identity} AS i
WHERE source = %(source)s AND origin = 'import' AND user_pk > %(after)s
  AND i.user_pk NOT IN (
    SELECT CAST(u.{id} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin FROM {users} AS u
    WHERE u.{id} IS NOT NULL
  )
ORDER BY user_pk
LIMIT %(rows)s

-- name: is_empty
SELECT NOT EXISTS (SELECT 1 FROM {identity}) AND NOT EXISTS (SELECT 1 FROM {instance})
