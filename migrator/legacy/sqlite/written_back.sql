-- name: create
CREATE TABLE IF NOT EXISTS {log} (
  event_id text NOT NULL PRIMARY KEY,
  source text NOT NULL,
  auther_id text NOT NULL,
  user_pk text,
  kind text NOT NULL,
  concerns text NOT NULL,
  at datetime NOT NULL,
  outcome text NOT NULL,
  state text NOT NULL CHECK (state IN ('done', 'held', 'lost')),
  detail text NOT NULL DEFAULT '',
  settled_at datetime NOT NULL DEFAULT (strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')),
  acknowledged_at datetime
)

-- name: create_index
CREATE INDEX IF NOT EXISTS {index} ON migrator_write_back (auther_id, concerns)

-- name: exists
SELECT EXISTS (SELECT 1 FROM pragma_table_info(%(name)s, %(schema)s))

-- name: grant
SELECT NULL WHERE FALSE

-- name: no_wait
-- The transaction has its turn already.
SELECT NULL WHERE FALSE

-- name: states_of
SELECT event_id, state FROM {log} WHERE event_id IN (SELECT value FROM json_each(%(events)s))

-- name: put
INSERT INTO {log} (event_id, source, auther_id, user_pk, kind, concerns, at, outcome, state, detail)
VALUES (%(event)s, %(source)s, %(auther_id)s, %(pk)s, %(kind)s, %(concerns)s,
        strftime('%%Y-%%m-%%d %%H:%%M:%%f', %(at_ms)s / 1000.0, 'unixepoch'), %(outcome)s, %(state)s, %(detail)s)
ON CONFLICT (event_id) DO UPDATE SET
  user_pk = excluded.user_pk, outcome = excluded.outcome, state = excluded.state,
  detail = excluded.detail, settled_at = strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')

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
UPDATE {log} SET state = 'done', outcome = 'superseded', settled_at = strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')
WHERE auther_id = %(auther_id)s AND concerns = %(concerns)s AND event_id < %(event)s
  AND state <> 'done'

-- name: oldest_held
SELECT min(at) AS "at [utc]" FROM {log} WHERE source = %(source)s AND state = 'held'

-- name: gone
UPDATE {log} SET state = 'lost', settled_at = strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')
WHERE event_id IN (SELECT value FROM json_each(%(events)s)) AND state = 'held'

-- name: acknowledged
UPDATE {log} SET acknowledged_at = strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now') WHERE event_id IN (SELECT value FROM json_each(%(events)s))

-- name: open
SELECT event_id, auther_id, user_pk, kind, at AS "at [utc]", outcome, state, detail FROM {log}
WHERE source = %(source)s AND (state <> 'done' OR acknowledged_at IS NULL)
ORDER BY event_id
LIMIT %(rows)s

-- name: link
SELECT source, user_pk, home, pinned_reason, legacy_hash_fp FROM {identity}
WHERE auther_id = %(auther_id)s

-- name: end_tokens
UPDATE {identity}
SET auth_valid_after = max(coalesce(auth_valid_after, ''), datetime(%(at_ms)s / 1000, 'unixepoch'))
WHERE auther_id = %(auther_id)s

-- name: homes_away
SELECT count(*) FROM {identity} AS i
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
  SELECT i.auther_id FROM {identity} AS i
  WHERE i.source = %(source)s AND i.home = 'auther' AND i.origin = 'import'
    AND NOT EXISTS (
      SELECT 1 FROM {log} AS l
      WHERE l.auther_id = i.auther_id AND (l.state <> 'done' OR l.acknowledged_at IS NULL)
    )
  ORDER BY i.auther_id
  LIMIT %(rows)s
)

-- name: bury
INSERT INTO {tombstone} (auther_id, until)
VALUES (%(auther_id)s, strftime('%%Y-%%m-%%d %%H:%%M:%%f', %(until_ms)s / 1000.0, 'unixepoch'))
ON CONFLICT (auther_id) DO UPDATE SET until = max(until, excluded.until)
