-- name: is_indexed
SELECT EXISTS (
  SELECT 1 FROM information_schema.statistics
  WHERE table_schema = %(schema)s AND table_name = %(name)s
    AND column_name = %(column)s AND seq_in_index = 1
)

-- name: changed_keys
SELECT u.{id}
FROM {users} AS u
WHERE {changed}
ORDER BY u.{id}
LIMIT %(rows)s

-- name: since
-- In whole seconds, as columns without fractions hold them.
CAST(%(since)s AS DATETIME)

-- name: since_without_zone
CAST(%(since)s AS DATETIME)

-- name: repeated_among
SELECT DISTINCT g.first, CAST(u.{email} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin
FROM {users} AS u
JOIN (
  SELECT MIN(u.{id}) AS first, u.{email} AS email
  FROM {users} AS u WHERE u.{email} IN %(emails)s GROUP BY u.{email} HAVING count(*) > 1
) AS g ON u.{email} = g.email

-- name: usernames_among
SELECT LOWER(CAST(u.{username} AS CHAR CHARACTER SET utf8mb4)) COLLATE utf8mb4_nopad_bin AS name
FROM {users} AS u
WHERE LOWER(CAST(u.{username} AS CHAR CHARACTER SET utf8mb4)) COLLATE utf8mb4_nopad_bin IN %(names)s
GROUP BY name
HAVING count(*) > 1
