-- name: estimate
SELECT table_rows FROM information_schema.tables
WHERE table_schema = %(schema)s AND table_name = %(table)s
