-- name: create
CREATE TABLE IF NOT EXISTS {log} (
  event_id varchar(191) PRIMARY KEY,
  source varchar(191) NOT NULL,
  auther_id varchar(255) NOT NULL,
  user_pk varchar(255),
  kind varchar(64) NOT NULL,
  concerns varchar(64) NOT NULL,
  at datetime(6) NOT NULL,
  outcome varchar(64) NOT NULL,
  state varchar(8) NOT NULL CHECK (state IN ('done', 'held', 'lost')),
  detail text NOT NULL DEFAULT '',
  settled_at datetime(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  acknowledged_at datetime(6),
  KEY {index} (auther_id, concerns)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin

-- name: create_index
-- It comes with the table.
SELECT NULL FROM DUAL WHERE FALSE

-- name: exists
SELECT EXISTS (
  SELECT 1 FROM information_schema.tables
  WHERE table_schema = %(schema)s AND table_name = %(name)s
)

-- name: grant
SELECT NULL FROM DUAL WHERE FALSE

-- name: no_wait
-- The shortest wait that InnoDB knows; it sees a deadlock at once.
SET SESSION innodb_lock_wait_timeout = 1

-- name: states_of
SELECT event_id, state FROM {log} WHERE event_id IN %(events)s

-- name: put
INSERT INTO {log} (event_id, source, auther_id, user_pk, kind, concerns, at, outcome, state, detail)
VALUES (%(event)s, %(source)s, %(auther_id)s, %(pk)s, %(kind)s, %(concerns)s,
        TIMESTAMPADD(MICROSECOND, %(at_ms)s * 1000, '1970-01-01'), %(outcome)s, %(state)s, %(detail)s)
ON DUPLICATE KEY UPDATE
  user_pk = VALUES(user_pk), outcome = VALUES(outcome), state = VALUES(state),
  detail = VALUES(detail), settled_at = UTC_TIMESTAMP(6)

-- name: is_overtaken
SELECT EXISTS (
  SELECT 1 FROM {log}
  WHERE auther_id = %(auther_id)s AND concerns = %(concerns)s AND event_id > %(event)s
    AND outcome = 'written'
)

-- name: has_open
SELECT EXISTS (SELECT 1 FROM {log} WHERE auther_id = %(auther_id)s AND kind = %(kind)s AND state = 'held')

-- name: overtake
-- What an earlier change left open does not matter any more.
UPDATE {log} SET state = 'done', outcome = 'superseded', settled_at = UTC_TIMESTAMP(6)
WHERE auther_id = %(auther_id)s AND concerns = %(concerns)s AND event_id < %(event)s
  AND state <> 'done'

-- name: gone
UPDATE {log} SET state = 'lost', settled_at = UTC_TIMESTAMP(6)
WHERE event_id IN %(events)s AND state = 'held'

-- name: acknowledged
UPDATE {log} SET acknowledged_at = UTC_TIMESTAMP(6) WHERE event_id IN %(events)s

-- name: linked
INSERT INTO {identity} (source, user_pk, auther_id, home, origin, legacy_hash_fp)
SELECT %(source)s, %(pk)s, %(auther_id)s, 'auther', 'jit', %(fingerprint)s FROM DUAL
WHERE NOT EXISTS (SELECT 1 FROM {identity} WHERE auther_id = %(auther_id)s)
RETURNING user_pk

-- name: end_tokens
UPDATE {identity}
SET auth_valid_after = GREATEST(
  COALESCE(auth_valid_after, '1970-01-01'), TIMESTAMPADD(SECOND, %(at_ms)s DIV 1000, '1970-01-01')
)
WHERE auther_id = %(auther_id)s

-- name: homes_away
SELECT COUNT(*) FROM {identity} AS i
WHERE source = %(source)s AND home = 'auther' AND origin = 'import'
  AND NOT EXISTS (
    SELECT 1 FROM {log} AS l
    WHERE l.auther_id = i.auther_id AND (l.state <> 'done' OR l.acknowledged_at IS NULL)
  )

-- name: homes_back
-- Whoever has something open stays: the application would not let them in. So does whom a sign-up linked:
-- the sync does not follow them, so what they change here would not reach Auther.
UPDATE {identity} SET home = 'legacy'
WHERE auther_id IN (
  SELECT auther_id FROM (
    SELECT i.auther_id FROM {identity} AS i
    WHERE i.source = %(source)s AND i.home = 'auther' AND i.origin = 'import'
      AND NOT EXISTS (
        SELECT 1 FROM {log} AS l
        WHERE l.auther_id = i.auther_id AND (l.state <> 'done' OR l.acknowledged_at IS NULL)
      )
    ORDER BY i.auther_id
    LIMIT %(rows)s
  ) AS some
)

-- name: bury
INSERT INTO {tombstone} (auther_id, until)
VALUES (%(auther_id)s, TIMESTAMPADD(MICROSECOND, %(until_ms)s * 1000, '1970-01-01'))
ON DUPLICATE KEY UPDATE until = GREATEST(until, VALUES(until))
