-- name: keys_of_address
-- The index on the address serves the first two; capitals and blanks need a look at all.
SELECT CAST({id} AS TEXT) FROM {users} AS u
WHERE {email} = %(asked)s OR {email} = %(wanted)s OR migrator_normal({email}) = %(wanted)s
ORDER BY {id}
LIMIT %(rows)s

-- name: table_exists
SELECT EXISTS (SELECT 1 FROM pragma_table_info(%(name)s, %(schema)s))

-- name: link
SELECT auther_id, user_pk, home, origin, pinned_reason, legacy_hash_fp,
       last_legacy_at AS "last_legacy_at [utc]", last_auther_at AS "last_auther_at [utc]"
FROM {identity}
WHERE source = %(source)s AND (user_pk = %(pk)s OR auther_id = %(auther_id)s)
ORDER BY coalesce(user_pk = %(pk)s, FALSE) DESC
LIMIT 1
