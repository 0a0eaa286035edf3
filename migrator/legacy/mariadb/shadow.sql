-- name: exists
SELECT EXISTS (
  SELECT 1 FROM information_schema.tables
  WHERE table_schema = %(schema)s AND table_name = %(name)s
)

-- name: totals
SELECT count(*), COALESCE(SUM(NOT matched), 0), COALESCE(SUM(checks), 0), MAX(seen_at)
FROM {shadow} WHERE source = %(source)s
