-- name: pinned
SELECT user_pk, pinned_reason, last_legacy_at FROM {identity}
WHERE source = %(source)s AND pinned_reason IS NOT NULL AND user_pk > %(after)s
ORDER BY user_pk
LIMIT %(rows)s

-- name: recent
SELECT user_pk, NULL, last_legacy_at FROM {identity}
WHERE source = %(source)s AND last_legacy_at >= %(since)s AND user_pk > %(after)s
ORDER BY user_pk
LIMIT %(rows)s

-- name: remembered
SELECT {id}::text, NULL, {at} FROM {users} AS u
WHERE {remembered} AND {beyond}
ORDER BY {id}
LIMIT %(rows)s

-- name: beyond
{id} > %(after)s::{key_type}

-- name: count_remembered
SELECT count(*), count(CASE WHEN {at} >= %(since)s THEN 1 END) FROM {users} AS u WHERE {remembered}

-- name: has_time
{at} IS NOT NULL

-- name: has_token
{token} IS NOT NULL AND {token} <> ''

-- name: no_time
NULL::timestamptz

-- name: addresses
SELECT {id}::text, {email} FROM {users} AS u
WHERE {id} = ANY(%(pks)s::{key_type}[])
