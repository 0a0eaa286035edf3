-- name: estimate
-- SQLite keeps no number of rows; the largest key is at hand.
SELECT max(id) FROM {sessions}

-- name: rows
SELECT id, data, updated_at AS "updated_at [utc]" FROM {sessions}
WHERE id > %(after)s
ORDER BY id
LIMIT %(rows)s

-- name: mark
SELECT file, %(table)s FROM pragma_database_list WHERE name = 'main'

-- name: written_at
SELECT max(updated_at) AS "updated_at [utc]" FROM {sessions}

-- name: changed
SELECT id, data, updated_at AS "updated_at [utc]" FROM {sessions}
WHERE updated_at >= {since} AND id > %(after)s AND id <= %(up_to)s
ORDER BY id
LIMIT %(rows)s

-- name: since_without_zone
-- In whole seconds, as a text without a fraction comes before the same one with a fraction.
substr(%(since)s, 1, 19)

-- name: since_with_zone
substr(%(since)s, 1, 19)
