-- name: exists
SELECT to_regclass(%(table)s) IS NOT NULL

-- name: totals
SELECT count(*), count(*) FILTER (WHERE NOT matched), coalesce(sum(checks), 0)::bigint, max(seen_at)
FROM {shadow} WHERE source = %(source)s

-- name: mismatches
SELECT user_pk, reason, seen_at FROM {shadow}
WHERE source = %(source)s AND NOT matched
ORDER BY seen_at DESC, user_pk
LIMIT %(rows)s
