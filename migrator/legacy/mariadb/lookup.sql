-- name: keys_of_address
-- The index on the address serves the first two; blanks need a look at all.
SELECT CAST({id} AS CHAR) FROM {users} AS u
WHERE {email} = %(asked)s OR {email} = %(wanted)s
   OR LOWER(REGEXP_REPLACE(CAST({email} AS CHAR CHARACTER SET utf8mb4), '^[ \\t\\n\\x0b\\f\\r]+|[ \\t\\n\\x0b\\f\\r]+\\z', '')) COLLATE utf8mb4_nopad_bin = %(wanted)s
ORDER BY {id}
LIMIT %(rows)s

-- name: table_exists
SELECT EXISTS (
  SELECT 1 FROM information_schema.tables
  WHERE table_schema = %(schema)s AND table_name = %(name)s
)

-- name: link
SELECT auther_id, user_pk, home, origin, pinned_reason, legacy_hash_fp, last_legacy_at, last_auther_at
FROM {identity}
WHERE source = %(source)s AND (user_pk = %(pk)s OR auther_id = %(auther_id)s)
ORDER BY COALESCE(user_pk = %(pk)s, FALSE) DESC
LIMIT 1
