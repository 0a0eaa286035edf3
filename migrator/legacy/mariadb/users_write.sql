-- name: locked
-- Who signs in or changes a password in the application meanwhile waits for us, or we for them.
SELECT {email}, {password}, {locked_at}, {confirmed_at}, {username}, {active}, {privileged}
FROM {users}
WHERE {id} = %(pk)s
FOR UPDATE

-- name: no_column
NULL

-- name: text_of
CAST({column} AS CHAR)

-- name: time_value
-- Without the letters of ISO 8601.
REPLACE(REPLACE({value}, 'T', ' '), 'Z', '')

-- name: taken
SELECT EXISTS (
  SELECT 1 FROM {users}
  WHERE ({email} = %(email)s OR LOWER({email}) = %(email)s) AND {id} <> %(pk)s
)

-- name: taken_in_any_spelling
SELECT EXISTS (SELECT 1 FROM {users} WHERE {email} = %(email)s OR LOWER({email}) = %(email)s)

-- name: change
UPDATE {users} SET {assignments} WHERE {id} = %(pk)s

-- name: insert
INSERT INTO {users} ({columns}) VALUES ({values}) RETURNING CAST({id} AS CHAR)

-- name: needed_columns
-- Columns that a new row must name: no default, no NULL, nothing that MariaDB makes up itself.
SELECT column_name FROM information_schema.columns
WHERE table_schema = %(schema)s AND table_name = %(table)s
  AND is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%%auto_increment%%'
  AND generation_expression IS NULL
ORDER BY ordinal_position

-- name: missing_rights
SELECT column_name FROM information_schema.columns
WHERE table_schema = %(schema)s AND table_name = %(table)s
  AND column_name IN %(columns)s AND privileges NOT LIKE '%%update%%'
ORDER BY ordinal_position

-- name: may_insert
SELECT MIN(privileges LIKE '%%insert%%') FROM information_schema.columns
WHERE table_schema = %(schema)s AND table_name = %(table)s

-- name: role
SELECT CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')

-- name: shown
SELECT CAST({id} AS CHAR), {email} FROM {users} WHERE {id} IN %(pks)s
