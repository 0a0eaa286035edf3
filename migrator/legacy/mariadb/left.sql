-- name: remembered
SELECT CAST({id} AS CHAR), NULL, {at} FROM {users} AS u
WHERE {remembered} AND {beyond}
ORDER BY {id}
LIMIT %(rows)s

-- name: beyond
{id} > %(after)s

-- name: no_time
CAST(NULL AS DATETIME)

-- name: addresses
SELECT CAST({id} AS CHAR), {email} FROM {users} AS u WHERE {id} IN %(pks)s
