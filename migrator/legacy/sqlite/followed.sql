-- name: records
SELECT user_pk, auther_id, home, origin, pinned_reason, legacy_hash_fp FROM {identity}
WHERE source = %(source)s AND user_pk IN (SELECT value FROM json_each(%(pks)s))

-- name: vanished
SELECT i.user_pk, i.auther_id, i.home, i.origin, i.pinned_reason, i.legacy_hash_fp
FROM {identity} AS i
WHERE i.source = %(source)s AND i.origin = 'import' AND i.home = 'legacy'
  AND i.user_pk > %(after)s
  AND i.user_pk NOT IN (SELECT CAST(u.{id} AS TEXT) FROM {users} AS u WHERE u.{id} IS NOT NULL)
ORDER BY i.user_pk
LIMIT %(rows)s

-- name: record
-- Whoever moved to Auther meanwhile is not touched.
UPDATE {identity} AS i SET
  pinned_reason = json_extract(c.value, '$.pinned'),
  legacy_hash_fp = json_extract(c.value, '$.fingerprint')
FROM json_each(%(records)s) AS c
WHERE i.source = %(source)s AND i.user_pk = json_extract(c.value, '$.pk')
  AND i.auther_id = json_extract(c.value, '$.auther_id')
  AND i.origin = 'import' AND i.home = 'legacy'

-- name: forget
DELETE FROM {identity}
WHERE source = %(source)s AND origin = 'import' AND home = 'legacy'
  AND auther_id IN (SELECT value FROM json_each(%(ids)s))
