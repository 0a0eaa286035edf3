-- name: homes
SELECT home,
       pinned_reason IS NOT NULL AS is_pinned,
       coalesce(last_legacy_at > now() - %(within)s::interval, false) AS is_seen,
       width_bucket(extract(epoch FROM now() - last_legacy_at), %(ages_s)s::numeric[]) AS legacy_age,
       width_bucket(extract(epoch FROM now() - last_auther_at), %(ages_s)s::numeric[]) AS auther_age,
       count(*) AS users
FROM {identity}
WHERE source = %(source)s
GROUP BY 1, 2, 3, 4, 5

-- name: estimate
SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%(identity)s)
