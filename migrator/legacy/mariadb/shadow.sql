-- name: exists
SELECT EXISTS (
  SELECT 1 FROM information_schema.tables
  WHERE table_schema = %(schema)s AND table_name = %(name)s
)

-- name: totals
SELECT count(*), COALESCE(SUM(NOT matched), 0), COALESCE(SUM(checks), 0), MAX(seen_at)
FROM {shadow} WHERE source = %(source)s

-- name: mismatches
SELECT user_pk, reason, seen_at FROM {shadow}
WHERE source = %(source)s AND NOT matched
ORDER BY seen_at DESC, user_pk
LIMIT %(rows)s
