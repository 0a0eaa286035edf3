-- name: records
SELECT user_pk, auther_id, home, origin, pinned_reason, legacy_hash_fp FROM {identity}
WHERE source = %(source)s AND user_pk = ANY(%(pks)s)

-- name: vanished
SELECT i.user_pk, i.auther_id, i.home, i.origin, i.pinned_reason, i.legacy_hash_fp
FROM {identity} AS i
WHERE i.source = %(source)s AND i.origin = 'import' AND i.home = 'legacy'
  AND i.user_pk > %(after)s
  AND NOT EXISTS (SELECT FROM {users} AS u WHERE u.{id} = CAST(i.user_pk AS {key_type}))
ORDER BY i.user_pk
LIMIT %(rows)s

-- name: record
-- Whoever moved to Auther meanwhile is not touched.
UPDATE {identity} AS i SET pinned_reason = c.pinned, legacy_hash_fp = c.fingerprint
FROM jsonb_to_recordset(%(records)s::jsonb)
  AS c (pk text, auther_id text, pinned text, fingerprint text)
WHERE i.source = %(source)s AND i.user_pk = c.pk AND i.auther_id = c.auther_id
  AND i.origin = 'import' AND i.home = 'legacy'

-- name: forget
DELETE FROM {identity}
WHERE source = %(source)s AND origin = 'import' AND home = 'legacy' AND auther_id = ANY(%(ids)s)

-- name: count
SELECT count(*) FROM {identity} WHERE source = %(source)s AND origin = 'import'

-- name: count_some
SELECT count(*) FROM (
  SELECT 1 FROM {identity} WHERE source = %(source)s AND origin = 'import' LIMIT %(at_most)s
) AS counted
