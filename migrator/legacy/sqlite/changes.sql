-- name: lock
-- Whoever wrote before us has committed; then nothing that is still open carries an earlier time.
BEGIN IMMEDIATE

-- name: unlock
ROLLBACK

-- name: is_indexed
SELECT EXISTS (
  SELECT 1 FROM pragma_index_list(%(name)s, %(schema)s) AS l
  JOIN pragma_index_info(l.name, %(schema)s) AS i
  WHERE NOT l.partial AND i.seqno = 0 AND i.name = %(column)s
)

-- name: changed_keys
SELECT u.{id}
FROM {users} AS u
WHERE {changed}
ORDER BY u.{id}
LIMIT %(rows)s

-- name: since
-- In whole seconds: a text without a fraction comes before the same one with a fraction.
substr(%(since)s, 1, 19)

-- name: since_without_zone
substr(%(since)s, 1, 19)

-- name: repeated_among
SELECT DISTINCT CAST(g.first AS TEXT), CAST(u.{email} AS TEXT) COLLATE BINARY
FROM {users} AS u
JOIN (
  SELECT min(u.{id}) AS first, u.{email} AS email
  FROM {users} AS u WHERE u.{email} IN (SELECT value FROM json_each(%(emails)s))
  GROUP BY u.{email} HAVING count(*) > 1
) AS g ON u.{email} = g.email

-- name: usernames_among
SELECT lower(u.{username}) AS name
FROM {users} AS u
WHERE lower(u.{username}) IN (SELECT value FROM json_each(%(names)s))
GROUP BY name
HAVING count(*) > 1
