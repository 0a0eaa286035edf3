-- name: activity
-- A role that may not look at others' sessions sees them without times.
SELECT clock_timestamp(), min(a.xact_start),
       count(*) FILTER (WHERE a.query = '<insufficient privilege>'),
       (SELECT min(p.prepared) FROM pg_prepared_xacts AS p WHERE p.database = current_database())
FROM pg_stat_activity AS a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
  AND a.backend_type IS DISTINCT FROM 'walsender'

-- name: is_indexed
SELECT EXISTS (
  SELECT FROM pg_index AS i
  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = to_regclass(%(table)s) AND a.attname = %(column)s
    AND i.indisvalid AND i.indpred IS NULL
)

-- name: changed_keys
COPY (
  SELECT u.{id}::text
  FROM {users} AS u
  WHERE {changed}
  ORDER BY u.{id}
  LIMIT %(rows)s
) TO STDOUT

-- name: changed
u.{updated_at} >= {since}

-- name: changed_or_linked
u.{id} IN (
  SELECT c.{id} FROM {users} AS c WHERE c.{updated_at} >= {since}
  UNION
  SELECT l.{owner} FROM {identities} AS l WHERE l.{linked_at} >= {linked_since}
)

-- name: beyond
{changed} AND u.{id} > %(after)s

-- name: since
%(since)s::timestamptz

-- name: since_without_zone
(%(since)s::timestamptz AT TIME ZONE 'UTC')

-- name: repeated_among
SELECT (array_agg(u.{id} ORDER BY u.{id}))[1]::text, u.{email}::text
FROM {users} AS u
WHERE u.{email} = ANY(%(emails)s)
GROUP BY u.{email}
HAVING count(*) > 1

-- name: usernames_among
SELECT lower(u.{username}::text COLLATE "C")
FROM {users} AS u
WHERE lower(u.{username}::text COLLATE "C") = ANY(%(names)s)
GROUP BY 1
HAVING count(*) > 1
