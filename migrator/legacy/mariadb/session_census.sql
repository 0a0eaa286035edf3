-- name: create
CREATE TABLE {census} (
  session_id bigint PRIMARY KEY,
  holds smallint NOT NULL CHECK (holds BETWEEN 0 AND 3),
  user_pk varchar(255),
  used_hour integer,
  seen_at datetime(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6))
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin

-- name: create_holders
-- No index here may leave rows out.
CREATE INDEX migrator_session_holders ON {census} (holds, user_pk, used_hour)

-- name: exists
SELECT EXISTS (
  SELECT 1 FROM information_schema.tables
  WHERE table_schema = %(schema)s AND table_name = %(name)s
)

-- name: clear
TRUNCATE TABLE {census}

-- name: write
INSERT INTO {census} (session_id, holds, user_pk, used_hour)
SELECT * FROM JSON_TABLE(%(records)s, '$[*]' COLUMNS (
  session_id bigint PATH '$[0]', holds smallint PATH '$[1]',
  user_pk varchar(255) PATH '$[2]', used_hour integer PATH '$[3]'
)) AS r
ON DUPLICATE KEY UPDATE
  holds = VALUES(holds), user_pk = VALUES(user_pk), used_hour = VALUES(used_hour),
  seen_at = UTC_TIMESTAMP(6)

-- name: drop_gone
DELETE c FROM {census} AS c
WHERE c.session_id > %(after)s AND c.session_id <= %(last)s
  AND NOT EXISTS (SELECT 1 FROM {sessions} AS s WHERE s.id = c.session_id)

-- name: last
-- A side that has nothing more is left out.
SELECT MIN(reached) FROM (
  SELECT MAX(id) AS reached FROM (
    SELECT id FROM {sessions} WHERE id > %(after)s ORDER BY id LIMIT %(rows)s) AS s
  UNION ALL
  SELECT MAX(session_id) FROM (
    SELECT session_id FROM {census} WHERE session_id > %(after)s
    ORDER BY session_id LIMIT %(rows)s) AS c
) AS sides

-- name: one_snapshot
-- A transaction that only reads has one from its first reading on.
SELECT 1

-- name: counts_of
SELECT holds, CASE WHEN holds = 1 THEN used_hour END, count(*) FROM {census}
WHERE session_id IN %(ids)s
GROUP BY 1, 2

-- name: tidy
ANALYZE TABLE {census}
