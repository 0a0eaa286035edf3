-- name: count
-- The hash of the list, so that it is acknowledged as it is and not as it will be.
SELECT count(pinned_reason),
       encode(sha256(coalesce(string_agg(user_pk || E'\t' || pinned_reason, E'\n'
                                         ORDER BY user_pk COLLATE "C"), '')::bytea), 'hex'),
       count(*)
FROM migrator_identity WHERE source = %(source)s

-- name: list
SELECT user_pk, pinned_reason FROM migrator_identity
WHERE source = %(source)s AND pinned_reason IS NOT NULL
ORDER BY user_pk COLLATE "C" LIMIT %(rows)s
