-- name: records
SELECT user_pk, auther_id, home, origin, pinned_reason, legacy_hash_fp FROM {identity}
WHERE source = %(source)s AND user_pk IN %(pks)s

-- name: vanished
SELECT i.user_pk, i.auther_id, i.home, i.origin, i.pinned_reason, i.legacy_hash_fp
FROM {identity} AS i
WHERE i.source = %(source)s AND i.origin = 'import' AND i.home = 'legacy'
  AND i.user_pk > %(after)s
  AND i.user_pk NOT IN (
    SELECT CAST(u.{id} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin FROM {users} AS u
    WHERE u.{id} IS NOT NULL
  )
ORDER BY i.user_pk
LIMIT %(rows)s

-- name: record
-- Whoever moved to Auther meanwhile is not touched.
UPDATE {identity} AS i
JOIN JSON_TABLE(%(records)s, '$[*]' COLUMNS (
  pk varchar(255) PATH '$.pk',
  auther_id varchar(255) PATH '$.auther_id',
  pinned varchar(191) PATH '$.pinned',
  fingerprint varchar(64) PATH '$.fingerprint'
)) AS c ON i.user_pk = c.pk COLLATE utf8mb4_nopad_bin AND i.auther_id = c.auther_id COLLATE utf8mb4_nopad_bin
SET i.pinned_reason = c.pinned, i.legacy_hash_fp = c.fingerprint
WHERE i.source = %(source)s AND i.origin = 'import' AND i.home = 'legacy'

-- name: forget
DELETE FROM {identity}
WHERE source = %(source)s AND origin = 'import' AND home = 'legacy' AND auther_id IN %(ids)s
