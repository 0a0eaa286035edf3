-- name: exists
SELECT EXISTS (SELECT 1 FROM pragma_table_info(%(name)s, %(schema)s))

-- name: totals
SELECT count(*), count(*) FILTER (WHERE NOT matched), coalesce(sum(checks), 0),
       max(seen_at) AS "seen_at [utc]"
FROM {shadow} WHERE source = %(source)s

-- name: mismatches
SELECT user_pk, reason, seen_at AS "seen_at [utc]" FROM {shadow}
WHERE source = %(source)s AND NOT matched
ORDER BY seen_at DESC, user_pk
LIMIT %(rows)s
