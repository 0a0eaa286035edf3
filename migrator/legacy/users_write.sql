-- name: locked
-- Who signs in or changes a password in the application meanwhile waits for us, or we for them.
SELECT {email}::text, {password}, {locked_at}, {confirmed_at}, {username}, {active}, {privileged}
FROM {users}
WHERE {id} = %(pk)s
FOR UPDATE

-- name: no_column
NULL::text

-- name: text_of
{column}::text

-- name: is_set
CASE WHEN {flag} THEN 'true' END

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

-- name: end_links
DELETE FROM {links} WHERE email = (SELECT {email} FROM {users} WHERE {id} = %(pk)s)

-- name: new_values
-- What `migrator_new_user` writes beside address and password, from the same expressions.
SELECT {expressions}
FROM (
  SELECT %(auther_id)s AS p_auther_id, %(email)s AS p_email, %(name)s AS p_name,
         %(email_verified)s AS p_email_verified, %(at)s AS now_utc
) AS given

-- name: insert
INSERT INTO {users} ({columns})
SELECT {columns} FROM jsonb_populate_record(NULL::{users}, %(values)s::jsonb)
RETURNING {id}::text

-- name: newest_passwords
SELECT {password} FROM {users} WHERE {password} IS NOT NULL ORDER BY {id} DESC LIMIT %(rows)s

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

-- name: may_end_links
SELECT has_table_privilege(%(links)s, 'SELECT') AND has_table_privilege(%(links)s, 'DELETE')

-- name: role
SELECT '"' || replace(current_user, '"', '""') || '"'

-- name: shown
SELECT {id}::text, {email}::text FROM {users} WHERE {id} = ANY(%(pks)s)
