-- name: shape
SELECT * FROM {query} AS u LIMIT 0

-- name: types
SELECT t.oid::bigint, format_type(t.oid, NULL) FROM pg_type AS t WHERE t.oid = ANY(%(oids)s::oid[])

-- name: ambiguous_keys
SELECT u.{id}::text
FROM {query} AS u
GROUP BY u.{id}
HAVING u.{id} IS NULL OR count(*) > 1
ORDER BY u.{id} NULLS FIRST
LIMIT %(rows)s
