-- name: set_limits
SET SESSION max_statement_time = %(seconds)s

-- name: text
CAST({column} AS CHAR CHARACTER SET utf8mb4)

-- name: timestamptz
NULLIF({column}, '0000-00-00')

-- name: boolean
{column}

-- name: flag_as_time
(CASE WHEN {column} THEN CAST('1970-01-01' AS DATETIME) END)

-- name: server
SELECT version() AS version,
       CAST(SUBSTRING_INDEX(version(), '.', 1) AS INT) * 10000
         + CAST(SUBSTRING_INDEX(SUBSTRING_INDEX(version(), '.', 2), '.', -1) AS INT) * 100 AS version_num,
       database() AS "database",
       CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AS role, @@read_only AS is_replica,
       @@character_set_database AS encoding,
       EXISTS (
         SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'PROCESS'
           AND grantee IN (CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), ''''), CONCAT('''', CURRENT_ROLE(), '''@'''''))
       ) AS sees_all_activity,
       'MariaDB' AS kind

-- name: relation
-- Sizes in bytes. Whoever sees a table may read some of it; a column says what may be done with it.
SELECT 0 AS oid, CASE t.table_type WHEN 'BASE TABLE' THEN 'r' ELSE 'v' END AS kind, CURRENT_USER() AS owner,
       TRUE AS owned, FALSE AS rows_hidden,
       (SELECT MIN(c.privileges LIKE '%%insert%%' AND c.privileges LIKE '%%update%%')
        FROM information_schema.columns AS c
        WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name) AS writable,
       TRUE AS schema_usable,
       EXISTS (
         SELECT 1 FROM (
           SELECT grantee, %(schema)s AS place FROM information_schema.user_privileges
           WHERE privilege_type = 'CREATE'
           UNION ALL
           SELECT grantee, table_schema FROM information_schema.schema_privileges
           WHERE privilege_type = 'CREATE'
         ) AS p
         WHERE %(schema)s LIKE p.place
           AND p.grantee IN (CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), ''''), CONCAT('''', CURRENT_ROLE(), '''@'''''))
       ) AS schema_creatable,
       COALESCE(t.table_rows, 0) AS rows_estimate,
       COALESCE(t.data_length + t.index_length, 0) AS total_bytes, COALESCE(t.data_length, 0) AS table_bytes
FROM information_schema.tables AS t
WHERE t.table_schema = %(schema)s AND t.table_name = %(name)s

-- name: columns
SELECT column_name AS name, data_type AS type, '' AS category, privileges LIKE '%%select%%' AS readable
FROM information_schema.columns
WHERE table_schema = %(schema)s AND table_name = %(name)s
ORDER BY ordinal_position

-- name: foreign_keys
-- InnoDB has an index for each.
SELECT k.table_schema AS "schema", k.table_name AS "table", k.constraint_name AS name,
       CONCAT('[', GROUP_CONCAT(JSON_QUOTE(k.column_name) ORDER BY k.ordinal_position), ']') AS columns,
       r.delete_rule AS on_delete, TRUE AS validated,
       (SELECT COALESCE(MAX(t.table_rows), 0) FROM information_schema.tables AS t
        WHERE t.table_schema = k.table_schema AND t.table_name = k.table_name) AS rows_estimate,
       TRUE AS indexed
FROM information_schema.key_column_usage AS k
JOIN information_schema.referential_constraints AS r
  ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
 AND r.table_name = k.table_name
WHERE k.referenced_table_schema = %(schema)s AND k.referenced_table_name = %(name)s
GROUP BY k.table_schema, k.table_name, k.constraint_name, r.delete_rule
ORDER BY k.table_schema, k.table_name, k.constraint_name

-- name: loose_references
-- Columns that point at users by convention alone: `user_id` without a foreign key, and polymorphic pairs (`x_type`, `x_id`).
SELECT * FROM (
  SELECT c.table_schema AS "schema", c.table_name AS "table", c.column_name AS "column",
         EXISTS (
           SELECT 1 FROM information_schema.columns AS k
           WHERE k.table_schema = c.table_schema AND k.table_name = c.table_name
             AND k.column_name = CONCAT(LEFT(c.column_name, CHAR_LENGTH(c.column_name) - 3), '_type')
         ) AS polymorphic
  FROM information_schema.columns AS c
  JOIN information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
  WHERE t.table_type = 'BASE TABLE' AND c.table_schema = %(schema)s AND c.table_name <> %(name)s
    AND c.column_name LIKE '%%\_id' AND c.table_name NOT LIKE 'migrator\_%%'
    AND NOT EXISTS (
      SELECT 1 FROM information_schema.key_column_usage AS u
      WHERE u.table_schema = c.table_schema AND u.table_name = c.table_name
        AND u.column_name = c.column_name AND u.referenced_table_name IS NOT NULL
    )
) AS found
WHERE polymorphic OR "column" = %(reference)s
ORDER BY 1, 2, 3

-- name: identity_suspects
-- Tables in the form that OmniAuth guides make: provider, uid and a reference to the user.
SELECT CONCAT(table_schema, '.', table_name) AS name
FROM information_schema.columns
WHERE table_schema = %(schema)s AND column_name IN ('provider', 'uid', %(reference)s)
GROUP BY table_schema, table_name
HAVING COUNT(*) = 3
ORDER BY 1

-- name: bearer_suspects
-- Tables of gems that issue bearer tokens of their own: Doorkeeper, devise-jwt, devise_token_auth, simple API keys.
SELECT CONCAT(table_schema, '.', table_name) AS name
FROM information_schema.tables
WHERE table_schema = %(schema)s
  AND table_name IN ('oauth_access_tokens', 'jwt_denylist', 'jwt_denylists', 'jwt_blacklist', 'allowlisted_jwts',
                     'whitelisted_jwts', 'api_keys', 'api_tokens', 'personal_access_tokens')
ORDER BY 1

-- name: long_transactions
-- Age in seconds.
SELECT COUNT(*) AS count, COALESCE(MAX(age_s), 0) AS oldest_s
FROM (
  SELECT TIMESTAMPDIFF(SECOND, CONVERT_TZ(trx_started, 'SYSTEM', '+00:00'), UTC_TIMESTAMP()) AS age_s
  FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()
) AS t
WHERE age_s > %(longer_than_s)s

-- name: prepared_transactions
-- In no table; one that waits is among the open ones.
SELECT 0 AS count

-- name: states
-- `confirmable`: without a confirmed_at column everybody counts as confirmed.
SELECT COUNT(*) AS users,
       COUNT(CASE WHEN confirmed AND NOT locked AND NOT deleted THEN 1 END) AS active,
       COUNT(CASE WHEN NOT confirmed THEN 1 END) AS unconfirmed,
       COUNT(CASE WHEN confirmed AND pending <> '' THEN 1 END) AS pending_email_change,
       COUNT(CASE WHEN locked THEN 1 END) AS locked_now,
       COUNT(CASE WHEN ever_locked AND NOT locked THEN 1 END) AS lock_expired,
       COUNT(CASE WHEN deleted THEN 1 END) AS soft_deleted,
       COUNT(CASE WHEN second_factor THEN 1 END) AS second_factor,
       COUNT(CASE WHEN password = '' THEN 1 END) AS without_password,
       COUNT(CASE WHEN password <> '' AND confirmed AND NOT locked AND NOT deleted AND NOT second_factor THEN 1 END)
         AS active_with_password,
       COUNT(remembered) AS remembered,
       MAX(remembered) AS last_remembered
FROM (SELECT (NOT %(confirmable)s OR {confirmed_at} IS NOT NULL) AS confirmed,
             {locked_at} IS NOT NULL AS ever_locked,
             COALESCE(%(unlock_in)s IS NULL OR {locked_at} > %(now)s - INTERVAL %(unlock_in)s SECOND, FALSE)
               AND {locked_at} IS NOT NULL AS locked,
             {deleted_at} IS NOT NULL AS deleted,
             COALESCE({second_factor}, FALSE) AS second_factor,
             COALESCE({pending}, '') AS pending,
             COALESCE({password}, '') AS password,
             {remembered} AS remembered
      FROM {users} AS u) AS state

-- name: odd_times
-- Dates that are none; a zero date is how an old schema writes NULL. Every other one can be carried.
SELECT COUNT(CASE WHEN {column} <> '0000-00-00' AND TIMESTAMPDIFF(SECOND, '1970-01-01', {column}) IS NULL THEN 1 END)
         AS infinite,
       0 AS out_of_range
FROM {users} AS u

-- name: key_range
SELECT (SELECT CAST(u.{pk} AS CHAR) FROM {users} AS u ORDER BY u.{pk} LIMIT 1) AS lowest,
       (SELECT CAST(u.{pk} AS CHAR) FROM {users} AS u ORDER BY u.{pk} DESC LIMIT 1) AS highest

-- name: identities
SELECT CAST({provider} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin AS provider, COUNT(*) AS count
FROM {identities} AS i GROUP BY 1 ORDER BY 2 DESC, 1

-- name: identity_only
-- Users without a password who have, or have not, a sign-in at a provider.
SELECT COUNT(CASE WHEN linked THEN 1 END) AS with_identity, COUNT(CASE WHEN NOT linked THEN 1 END) AS without_identity
FROM (SELECT EXISTS (SELECT 1 FROM {identities} AS i WHERE i.{user_id} = u.{pk}) AS linked
      FROM {users} AS u WHERE COALESCE(u.{password}, '') = '') AS passwordless

-- name: inline_only
SELECT COUNT(CASE WHEN linked THEN 1 END) AS with_identity, COUNT(CASE WHEN NOT linked THEN 1 END) AS without_identity
FROM (SELECT COALESCE({provider} <> '', FALSE) AS linked
      FROM {users} AS u WHERE COALESCE({password}, '') = '') AS passwordless

-- name: sessions
SELECT COUNT(*) AS "rows", MIN(updated_at) AS oldest, MAX(updated_at) AS newest FROM {sessions}

-- name: login
-- Whom Devise's login form finds for a normalised address.
SELECT CAST({password} AS CHAR CHARACTER SET utf8mb4) AS password, {salt} AS salt
FROM {users} AS u WHERE {email} = %(email)s ORDER BY {pk} LIMIT 1
