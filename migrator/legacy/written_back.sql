-- name: create
CREATE TABLE IF NOT EXISTS {log} (
  event_id text PRIMARY KEY,
  source text NOT NULL,
  auther_id text NOT NULL,
  user_pk text,
  kind text NOT NULL,
  concerns text NOT NULL,
  at timestamptz NOT NULL,
  outcome text NOT NULL,
  state text NOT NULL CHECK (state IN ('done', 'held', 'lost')),
  detail text NOT NULL DEFAULT '',
  settled_at timestamptz NOT NULL DEFAULT now(),
  acknowledged_at timestamptz
)

-- name: create_index
CREATE INDEX IF NOT EXISTS {index} ON {log} (auther_id, concerns)

-- name: exists
SELECT to_regclass(%(table)s) IS NOT NULL

-- name: grant
GRANT SELECT ON {log} TO {role}

-- name: no_wait
SELECT set_config('lock_timeout', %(limit)s, true)

-- name: states_of
SELECT event_id, state FROM {log} WHERE event_id = ANY(%(events)s)

-- name: put
INSERT INTO {log} (event_id, source, auther_id, user_pk, kind, concerns, at, outcome, state, detail)
VALUES (%(event)s, %(source)s, %(auther_id)s, %(pk)s, %(kind)s, %(concerns)s,
        to_timestamp(%(at_ms)s / 1000.0), %(outcome)s, %(state)s, %(detail)s)
ON CONFLICT (event_id) DO UPDATE SET
  user_pk = excluded.user_pk, outcome = excluded.outcome, state = excluded.state,
  detail = excluded.detail, settled_at = now()

-- name: is_overtaken
SELECT EXISTS (
  SELECT FROM {log}
  WHERE auther_id = %(auther_id)s AND concerns = %(concerns)s AND event_id > %(event)s
    AND outcome = 'written'
)

-- name: has_open
SELECT EXISTS (SELECT FROM {log} WHERE auther_id = %(auther_id)s AND kind = %(kind)s AND state = 'held')

-- name: closed_by_us
-- A ban that closed the row, and that nothing lifted since.
SELECT EXISTS (
  SELECT 1 FROM {log} AS b
  WHERE b.auther_id = %(auther_id)s AND b.kind = 'ban' AND b.detail = %(closed)s AND b.event_id < %(event)s
    AND NOT EXISTS (
      SELECT 1 FROM {log} AS u
      WHERE u.auther_id = b.auther_id AND u.kind = 'unban' AND u.outcome = 'written'
        AND u.event_id > b.event_id AND u.event_id < %(event)s
    )
)

-- name: overtake
-- What an earlier change left open does not matter any more.
UPDATE {log} SET state = 'done', outcome = 'superseded', settled_at = now()
WHERE auther_id = %(auther_id)s AND concerns = %(concerns)s AND event_id < %(event)s
  AND state <> 'done'

-- name: held
SELECT event_id FROM {log} WHERE source = %(source)s AND state = 'held' ORDER BY event_id

-- name: held_users
SELECT DISTINCT auther_id FROM {log} WHERE source = %(source)s AND state = 'held'

-- name: oldest_held
SELECT min(at) FROM {log} WHERE source = %(source)s AND state = 'held'

-- name: gone
UPDATE {log} SET state = 'lost', settled_at = now()
WHERE event_id = ANY(%(events)s) AND state = 'held'

-- name: unacknowledged
SELECT event_id FROM {log}
WHERE source = %(source)s AND state <> 'held' AND acknowledged_at IS NULL
ORDER BY event_id
LIMIT %(rows)s

-- name: acknowledged
UPDATE {log} SET acknowledged_at = now() WHERE event_id = ANY(%(events)s)

-- name: open
SELECT event_id, auther_id, user_pk, kind, at, outcome, state, detail FROM {log}
WHERE source = %(source)s AND (state <> 'done' OR acknowledged_at IS NULL)
ORDER BY event_id
LIMIT %(rows)s

-- name: count_open
SELECT count(DISTINCT auther_id) FROM {log}
WHERE source = %(source)s AND (state <> 'done' OR acknowledged_at IS NULL)

-- name: link
SELECT source, user_pk, home, pinned_reason, legacy_hash_fp FROM {identity}
WHERE auther_id = %(auther_id)s
FOR UPDATE

-- name: linked
-- One way to a new link for a login in the application and for us: whoever comes second finds it there.
INSERT INTO {identity} (source, user_pk, auther_id, home, origin, legacy_hash_fp)
VALUES (%(source)s, %(pk)s, %(auther_id)s, 'auther', 'jit', %(fingerprint)s)
ON CONFLICT (auther_id) DO NOTHING
RETURNING user_pk

-- name: fingerprint
UPDATE {identity} SET legacy_hash_fp = %(fingerprint)s WHERE auther_id = %(auther_id)s

-- name: move
UPDATE {identity} SET home = 'auther' WHERE auther_id = %(auther_id)s AND home <> 'auther'

-- name: end_tokens
UPDATE {identity}
SET auth_valid_after = greatest(auth_valid_after, to_timestamp(%(at_ms)s / 1000))
WHERE auther_id = %(auther_id)s

-- name: homes_away
SELECT count(*) FROM {identity} AS i
WHERE source = %(source)s AND home = 'auther' AND origin = 'import'
  AND NOT EXISTS (
    SELECT FROM {log} AS l
    WHERE l.auther_id = i.auther_id AND (l.state <> 'done' OR l.acknowledged_at IS NULL)
  )

-- name: homes_back
-- Whoever has something open stays: the application would not let them in. So does whom a login or a
-- sign-up linked: the sync does not follow them, so what they change here would not reach Auther.
UPDATE {identity} SET home = 'legacy'
WHERE auther_id IN (
  SELECT i.auther_id FROM {identity} AS i
  WHERE i.source = %(source)s AND i.home = 'auther' AND i.origin = 'import'
    AND NOT EXISTS (
      SELECT FROM {log} AS l
      WHERE l.auther_id = i.auther_id AND (l.state <> 'done' OR l.acknowledged_at IS NULL)
    )
  ORDER BY i.auther_id
  LIMIT %(rows)s
  FOR UPDATE SKIP LOCKED
)

-- name: bury
INSERT INTO {tombstone} (auther_id, until)
VALUES (%(auther_id)s, to_timestamp(%(until_ms)s / 1000.0))
ON CONFLICT (auther_id) DO UPDATE SET until = greatest(migrator_tombstone.until, excluded.until)
