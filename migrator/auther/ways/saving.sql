-- name: size
SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()

-- name: copy
VACUUM INTO ?

-- name: check
PRAGMA integrity_check

-- name: users
SELECT count(*) FROM "user"

-- name: columns
SELECT name FROM pragma_table_info(?)

-- name: page
SELECT {columns} FROM {table} WHERE "id" > ? ORDER BY "id" LIMIT ?
