-- name: columns
SELECT a.attname, format_type(a.atttypid, NULL)
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(table)s
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum

-- name: primary_key
SELECT a.attname
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND i.indisprimary
ORDER BY k.position

-- name: tables
SELECT n.nspname || '.' || c.relname
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_toast%%'
ORDER BY (n.nspname = %(schema)s) DESC, (c.relname ILIKE '%%user%%') DESC, n.nspname, c.relname
LIMIT %(limit)s

-- name: wait_for_locks
-- Nobody holds rows of our tables for long, but a session whose client vanished may.
SET lock_timeout = '30s'

-- name: backend
SELECT pg_backend_pid()

-- name: read_only
SET default_transaction_read_only = on

-- name: limit
SELECT set_config('statement_timeout', %(milliseconds)s, false)

-- name: any_bytes
SET client_encoding = 'SQL_ASCII'
