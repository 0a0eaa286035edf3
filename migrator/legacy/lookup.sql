-- name: keys_of_address
-- The index on the address serves the first two; capitals and blanks need a look at all.
SELECT {id}::text FROM {users} AS u
WHERE {email} = %(asked)s OR {email} = %(wanted)s
   OR lower(btrim({email}::text, E' \t\n\x0B\f\r')) = %(wanted)s
ORDER BY {id}
LIMIT %(rows)s

-- name: table_exists
SELECT to_regclass(%(table)s) IS NOT NULL

-- name: link
SELECT auther_id, user_pk, home, origin, pinned_reason, legacy_hash_fp, last_legacy_at, last_auther_at
FROM {identity}
WHERE source = %(source)s AND (user_pk = %(pk)s OR auther_id = %(auther_id)s)
ORDER BY user_pk = %(pk)s DESC NULLS LAST
LIMIT 1

-- name: last_check
SELECT CASE WHEN matched THEN 'match' WHEN reason = '' THEN 'wrong password' ELSE reason END
FROM {shadow} WHERE source = %(source)s AND user_pk = %(pk)s

-- name: unwritten
SELECT count(*) FROM {log} WHERE source = %(source)s AND auther_id = %(auther_id)s AND state <> 'done'
