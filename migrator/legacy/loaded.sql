-- name: exists
SELECT to_regclass(%(table)s) IS NOT NULL

-- name: drop
DROP TABLE IF EXISTS {users}, {identities}

-- name: create
CREATE TABLE {users} ({columns})

-- name: create_identities
CREATE TABLE {identities} (user_id text NOT NULL, provider text NOT NULL, uid text NOT NULL)

-- name: copy
COPY {users} ({columns}) FROM STDIN

-- name: copy_identities
COPY {identities} (user_id, provider, uid) FROM STDIN

-- name: repeated
SELECT id FROM {users} GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT %(rows)s

-- name: drop_column
ALTER TABLE {users} DROP COLUMN {column}

-- name: integer_keys
ALTER TABLE {users} ALTER COLUMN id TYPE bigint USING id::bigint

-- name: integer_references
ALTER TABLE {identities} ALTER COLUMN user_id TYPE bigint USING user_id::bigint

-- name: key
ALTER TABLE {users} ADD PRIMARY KEY (id)

-- name: index
CREATE INDEX ON {identities} (user_id)

-- name: close
REVOKE ALL ON {users}, {identities} FROM PUBLIC

-- name: analyze
ANALYZE {users}, {identities}
