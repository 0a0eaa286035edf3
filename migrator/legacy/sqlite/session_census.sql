-- name: create
CREATE TABLE {census} (
  session_id integer PRIMARY KEY,
  holds integer NOT NULL CHECK (holds BETWEEN 0 AND 3),
  user_pk text,
  used_hour integer,
  seen_at text NOT NULL DEFAULT (strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now'))
)

-- name: create_counts
CREATE INDEX {counts_index} ON {table} (holds, used_hour)

-- name: create_holders
CREATE INDEX {holders_index} ON {table} (user_pk, used_hour) WHERE holds = 1

-- name: exists
SELECT EXISTS (SELECT 1 FROM pragma_table_info(%(name)s, %(schema)s))

-- name: clear
DELETE FROM {census}

-- name: write
INSERT INTO {census} AS c (session_id, holds, user_pk, used_hour)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
       json_extract(value, '$[2]'), json_extract(value, '$[3]')
FROM json_each(%(records)s)
WHERE TRUE
ON CONFLICT (session_id) DO UPDATE
SET holds = excluded.holds, user_pk = excluded.user_pk, used_hour = excluded.used_hour,
    seen_at = excluded.seen_at
WHERE c.holds IS NOT excluded.holds OR c.user_pk IS NOT excluded.user_pk
   OR c.used_hour IS NOT excluded.used_hour

-- name: missed
-- Rows that came to be seen after the census had passed their keys.
SELECT s.id, s.data, s.updated_at AS "updated_at [utc]" FROM {sessions} AS s
WHERE s.id > %(after)s AND s.id <= %(last)s
  AND NOT EXISTS (SELECT 1 FROM {census} AS c WHERE c.session_id = s.id)
ORDER BY s.id
LIMIT %(rows)s

-- name: last
-- A side that has nothing more is left out.
SELECT min(reached) FROM (
  SELECT max(id) AS reached FROM (
    SELECT id FROM {sessions} WHERE id > %(after)s ORDER BY id LIMIT %(rows)s) AS s
  UNION ALL
  SELECT max(session_id) FROM (
    SELECT session_id FROM {census} WHERE session_id > %(after)s
    ORDER BY session_id LIMIT %(rows)s) AS c
) AS sides

-- name: one_snapshot
-- A transaction has one from its first reading on.
SELECT 1

-- name: counts_of
SELECT holds, CASE WHEN holds = 1 THEN used_hour END, count(*) FROM {census}
WHERE session_id IN (SELECT value FROM json_each(%(ids)s))
GROUP BY 1, 2

-- name: tidy
ANALYZE {census}
