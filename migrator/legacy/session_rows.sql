-- name: estimate
SELECT c.reltuples::bigint
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.reltuples >= 0

-- name: mark
-- The database is the same on a replica and after a restart; a table that was made anew has another OID.
SELECT system_identifier || '/' || current_database(), %(relation)s::regclass::oid::text
FROM pg_control_system()

-- name: written_at
SELECT max(updated_at) FROM {sessions}

-- name: rows
SELECT id, data, updated_at FROM {sessions}
WHERE id > %(after)s
ORDER BY id
LIMIT %(rows)s

-- name: changed
-- Rails writes UTC, with a time zone or without one.
SELECT id, data, updated_at FROM {sessions}
WHERE updated_at >= {since} AND id > %(after)s AND id <= %(up_to)s
ORDER BY id
LIMIT %(rows)s

-- name: since_without_zone
(%(since)s::timestamptz AT TIME ZONE 'UTC')

-- name: since_with_zone
%(since)s::timestamptz

-- name: count_beyond
SELECT count(*) FROM {sessions} WHERE id > %(after)s

-- name: count_changed
SELECT count(*) FROM {sessions} WHERE updated_at >= {since} AND id <= %(up_to)s

-- name: django
SELECT session_key, session_data, expire_date FROM {sessions}
WHERE session_key > %(after)s AND expire_date > %(now)s
ORDER BY session_key
LIMIT %(rows)s

-- name: laravel
SELECT user_id IS NOT NULL, last_activity / 3600, count(*), max(last_activity) FROM {sessions}
WHERE last_activity >= %(since)s
GROUP BY 1, 2

-- name: laravel_holders
SELECT user_id::text, count(*), max(last_activity) FROM {sessions}
WHERE last_activity >= %(since)s AND user_id::text > %(after)s
GROUP BY 1
ORDER BY 1
LIMIT %(rows)s

-- name: queried
-- Which database an operator's SELECT is asked of.
SELECT system_identifier || '/' || current_database() FROM pg_control_system()

-- name: described
SELECT * FROM {query} AS s LIMIT 0

-- name: counted
-- The operator's SELECT gives counts.
SELECT * FROM {query} AS s LIMIT 2

-- name: grouped
-- The operator's SELECT gives sessions; the database counts them, so that none has to be kept here.
SELECT user_id IS NOT NULL, date_trunc('hour', {used_at}), date_trunc('hour', {ends_at}), count(*),
       max({used_at}), max({ends_at})
FROM {query} AS s
GROUP BY 1, 2, 3

-- name: held
SELECT user_id::text, count(*), max({used_at}), max({ends_at}) FROM {query} AS s
WHERE user_id::text > %(after)s
GROUP BY 1
ORDER BY 1
LIMIT %(rows)s

-- name: no_time
NULL::timestamptz
