-- name: locked
-- Nobody else writes while our transaction is open.
SELECT {email}, {password}, {locked_at}, {confirmed_at}, {username}, {active}, {privileged}
FROM {users}
WHERE {id} = %(pk)s

-- name: no_column
NULL

-- name: text_of
CAST({column} AS TEXT)

-- name: time_value
-- As Rails writes it: without the letters of ISO 8601.
replace(replace({value}, 'T', ' '), 'Z', '')

-- name: taken
SELECT EXISTS (
  SELECT 1 FROM {users}
  WHERE ({email} = %(email)s OR migrator_normal({email}) = %(email)s) AND {id} <> %(pk)s
)

-- name: taken_in_any_spelling
SELECT EXISTS (SELECT 1 FROM {users} WHERE {email} = %(email)s OR migrator_normal({email}) = %(email)s)

-- name: change
UPDATE {users} SET {assignments} WHERE {id} = %(pk)s

-- name: insert
INSERT INTO {users} ({columns}) VALUES ({values}) RETURNING CAST({id} AS TEXT)

-- name: needed_columns
-- Columns that a new row must name: no default, no NULL, nothing that SQLite makes up itself.
SELECT name FROM pragma_table_xinfo(%(table)s, %(schema)s)
WHERE "notnull" AND dflt_value IS NULL AND hidden = 0 AND NOT (pk > 0 AND type LIKE 'integer')
ORDER BY cid

-- name: missing_rights
SELECT NULL WHERE FALSE

-- name: may_insert
SELECT TRUE

-- name: shown
SELECT CAST({id} AS TEXT), {email} FROM {users} WHERE {id} IN (SELECT value FROM json_each(%(pks)s))
