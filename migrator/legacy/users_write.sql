-- name: locked
-- Who signs in or changes a password in the application meanwhile waits for us, or we for them.
SELECT {email}::text, {encrypted_password}::text, {locked_at}, {confirmed_at} FROM {users}
WHERE {id} = %(pk)s
FOR UPDATE

-- name: no_column
NULL::text

-- name: text_of
{column}::text

-- name: time_value
{value}

-- name: taken
SELECT EXISTS (
  SELECT FROM {users}
  WHERE ({email} = %(email)s OR lower({email}::text) = %(email)s) AND {id} <> %(pk)s
)

-- name: taken_in_any_spelling
SELECT EXISTS (SELECT FROM {users} WHERE {email} = %(email)s OR lower({email}::text) = %(email)s)

-- name: change
-- Values come as one JSON object; PostgreSQL casts each to its column's type.
UPDATE {users} SET ({columns}) = (
  SELECT {columns} FROM jsonb_populate_record(NULL::{users}, %(values)s::jsonb)
)
WHERE {id} = %(pk)s

-- name: insert
INSERT INTO {users} ({columns})
SELECT {columns} FROM jsonb_populate_record(NULL::{users}, %(values)s::jsonb)
RETURNING {id}::text

-- name: needed_columns
-- Columns that a new row must name: no default, no NULL, nothing that PostgreSQL makes up itself.
SELECT a.attname
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass(%(users)s) AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = ''
ORDER BY a.attnum

-- name: missing_rights
SELECT c.name
FROM unnest(%(columns)s::text[]) WITH ORDINALITY AS c (name, place)
WHERE NOT has_column_privilege(to_regclass(%(users)s), c.name, 'UPDATE')
ORDER BY c.place

-- name: may_insert
SELECT has_table_privilege(to_regclass(%(users)s), 'INSERT')

-- name: role
SELECT '"' || replace(current_user, '"', '""') || '"'

-- name: shown
SELECT {id}::text, {email}::text FROM {users} WHERE {id} = ANY(%(pks)s)
