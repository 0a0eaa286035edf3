-- name: estimate
SELECT table_rows FROM information_schema.tables
WHERE table_schema = %(schema)s AND table_name = %(table)s

-- name: mark
-- MariaDB keeps no identity of a table but the time at which it was made.
SELECT concat(@@hostname, ':', @@port, '/', table_schema), coalesce(create_time, '')
FROM information_schema.tables
WHERE table_schema = %(schema)s AND table_name = %(table)s

-- name: since_without_zone
-- In whole seconds, as columns without fractions hold them.
CAST(%(since)s AS DATETIME)

-- name: since_with_zone
CAST(%(since)s AS DATETIME)
