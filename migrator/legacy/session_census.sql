-- name: create
-- What each row of the session store holds: 0 nobody, 1 a user, 2 another model's user, 3 unreadable. The
-- key is the row's own; hours are counted since 1970.
CREATE TABLE {census} (
  session_id bigint PRIMARY KEY,
  holds smallint NOT NULL CHECK (holds BETWEEN 0 AND 3),
  user_pk text,
  used_hour integer,
  seen_at timestamptz NOT NULL DEFAULT now()
)

-- name: create_counts
CREATE INDEX migrator_session_counts ON {census} (holds, used_hour)

-- name: create_holders
CREATE INDEX migrator_session_holders ON {census} (user_pk, used_hour) WHERE holds = 1

-- name: exists
SELECT to_regclass(%(table)s) IS NOT NULL

-- name: clear
TRUNCATE {census}

-- name: write
INSERT INTO {census} AS c (session_id, holds, user_pk, used_hour)
SELECT * FROM unnest(
  %(ids)s::bigint[], %(holds)s::smallint[], %(users)s::text[], %(hours)s::integer[]
)
ON CONFLICT (session_id) DO UPDATE
SET holds = excluded.holds, user_pk = excluded.user_pk, used_hour = excluded.used_hour,
    seen_at = excluded.seen_at
WHERE (c.holds, c.user_pk, c.used_hour)
      IS DISTINCT FROM (excluded.holds, excluded.user_pk, excluded.used_hour)

-- name: drop_gone
-- Between two keys, what the session store has no more.
DELETE FROM {census} AS c
WHERE c.session_id > %(after)s AND c.session_id <= %(last)s
  AND NOT EXISTS (SELECT 1 FROM {sessions} AS s WHERE s.id = c.session_id)

-- name: missed
-- Rows that came to be seen after the census had passed their keys.
SELECT s.id, s.data, s.updated_at FROM {sessions} AS s
WHERE s.id > %(after)s AND s.id <= %(last)s
  AND NOT EXISTS (SELECT 1 FROM {census} AS c WHERE c.session_id = s.id)
ORDER BY s.id
LIMIT %(rows)s

-- name: last
-- A side that has nothing more is left out.
SELECT least(
  (SELECT max(id) FROM (
    SELECT id FROM {sessions} WHERE id > %(after)s ORDER BY id LIMIT %(rows)s) AS s),
  (SELECT max(session_id) FROM (
    SELECT session_id FROM {census} WHERE session_id > %(after)s
    ORDER BY session_id LIMIT %(rows)s) AS c)
)

-- name: one_snapshot
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: counts
SELECT holds, CASE WHEN holds = 1 THEN used_hour END, count(*) FROM {census} GROUP BY 1, 2

-- name: counts_of
SELECT holds, CASE WHEN holds = 1 THEN used_hour END, count(*) FROM {census}
WHERE session_id = ANY(%(ids)s)
GROUP BY 1, 2

-- name: counts_of_gone
SELECT holds, CASE WHEN holds = 1 THEN used_hour END, count(*) FROM {census} AS c
WHERE holds IN (1, 3) AND NOT EXISTS (SELECT 1 FROM {sessions} AS s WHERE s.id = c.session_id)
GROUP BY 1, 2

-- name: holders
SELECT user_pk, count(*), max(used_hour) FROM {census}
WHERE holds = 1 AND user_pk > %(after)s
GROUP BY user_pk
ORDER BY user_pk
LIMIT %(rows)s

-- name: tidy
VACUUM (ANALYZE) {census}
