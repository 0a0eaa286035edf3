-- name: pinned
SELECT user_pk, pinned_reason, last_legacy_at AS "last_legacy_at [utc]" FROM {identity}
WHERE source = %(source)s AND pinned_reason IS NOT NULL AND user_pk > %(after)s
ORDER BY user_pk
LIMIT %(rows)s

-- name: recent
SELECT user_pk, NULL, last_legacy_at AS "last_legacy_at [utc]" FROM {identity}
WHERE source = %(source)s AND last_legacy_at >= %(since)s AND user_pk > %(after)s
ORDER BY user_pk
LIMIT %(rows)s

-- name: remembered
SELECT CAST({id} AS TEXT), NULL, {at} AS "at [utc]" FROM {users} AS u
WHERE {remembered} AND {beyond}
ORDER BY {id}
LIMIT %(rows)s

-- name: beyond
{id} > CAST(%(after)s AS {key_type})

-- name: no_time
NULL

-- name: addresses
SELECT CAST({id} AS TEXT), {email} FROM {users} AS u
WHERE CAST({id} AS TEXT) IN (SELECT value FROM json_each(%(pks)s))
