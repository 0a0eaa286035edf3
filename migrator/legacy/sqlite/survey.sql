-- name: set_limits
-- A file has no server whose limit could be set.
SELECT 1

-- name: text
CAST({column} AS TEXT)

-- name: timestamptz
NULLIF({column}, '')

-- name: boolean
migrator_flag({column})

-- name: flag_as_time
(CASE WHEN migrator_flag({column}) THEN '1970-01-01 00:00:00' END)

-- name: server
SELECT sqlite_version() AS version, 0 AS version_num,
       (SELECT file FROM pragma_database_list WHERE name = 'main') AS database,
       'whoever may open the file' AS role, FALSE AS is_replica,
       (SELECT encoding FROM pragma_encoding) AS encoding, TRUE AS sees_all_activity, 'SQLite' AS kind

-- name: relation
-- Sizes in bytes, of the whole file.
SELECT 0 AS oid, CASE type WHEN 'table' THEN 'r' ELSE 'v' END AS kind, '' AS owner, TRUE AS owned,
       FALSE AS rows_hidden, TRUE AS writable, TRUE AS schema_usable, TRUE AS schema_creatable, 0 AS rows_estimate,
       (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS total_bytes,
       (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS table_bytes
FROM sqlite_master WHERE type IN ('table', 'view') AND name = %(name)s

-- name: columns
SELECT name, type, '' AS category, TRUE AS readable
FROM pragma_table_xinfo(%(name)s, %(schema)s) WHERE hidden <> 1 ORDER BY cid

-- name: foreign_keys
-- `indexed`: some whole index begins with exactly these columns in any order, so that deleting a user is no full scan.
SELECT 'main' AS schema, f.name AS "table", 'foreign key ' || f.id AS name, f.columns, f.on_delete,
       TRUE AS validated, 0 AS rows_estimate,
       EXISTS (
         SELECT 1 FROM pragma_index_list(f.name) AS l
         WHERE NOT l.partial AND (
           SELECT count(*) FROM pragma_index_info(l.name) AS i
           JOIN json_each(f.columns) AS c ON c.value = i.name
           WHERE i.seqno < f.width
         ) = f.width
       ) AS indexed
FROM (
  SELECT t.name, k.id, json_group_array(k."from") AS columns, count(*) AS width, k.on_delete
  FROM sqlite_master AS t JOIN pragma_foreign_key_list(t.name) AS k
  WHERE t.type = 'table' AND k."table" = %(name)s COLLATE NOCASE
  GROUP BY t.name, k.id
) AS f
ORDER BY f.name, f.id

-- name: loose_references
-- Columns that point at users by convention alone: `user_id` without a foreign key, and polymorphic pairs (`x_type`, `x_id`).
SELECT * FROM (
  SELECT 'main' AS schema, t.name AS "table", c.name AS "column",
         EXISTS (
           SELECT 1 FROM pragma_table_info(t.name) AS k
           WHERE k.name = substr(c.name, 1, length(c.name) - 3) || '_type'
         ) AS polymorphic
  FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
  WHERE t.type = 'table' AND t.name <> %(name)s AND t.name NOT LIKE 'migrator\_%%' ESCAPE '\'
    AND c.name LIKE '%%\_id' ESCAPE '\'
    AND NOT EXISTS (SELECT 1 FROM pragma_foreign_key_list(t.name) AS f WHERE f."from" = c.name)
) AS found
WHERE polymorphic OR "column" = %(reference)s
ORDER BY 1, 2, 3

-- name: identity_suspects
-- Tables in the form that OmniAuth guides make: provider, uid and a reference to the user.
SELECT 'main.' || t.name AS name
FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
WHERE t.type = 'table' AND c.name IN ('provider', 'uid', %(reference)s)
GROUP BY t.name
HAVING count(*) = 3
ORDER BY 1

-- name: bearer_suspects
-- Tables of gems that issue bearer tokens of their own: Doorkeeper, devise-jwt, devise_token_auth, simple API keys.
SELECT 'main.' || name AS name
FROM sqlite_master
WHERE type = 'table'
  AND name IN ('oauth_access_tokens', 'jwt_denylist', 'jwt_denylists', 'jwt_blacklist', 'allowlisted_jwts',
               'whitelisted_jwts', 'api_keys', 'api_tokens', 'personal_access_tokens')
ORDER BY 1

-- name: long_transactions
-- Nobody can see how long somebody else has been writing.
SELECT 0 AS count, 0 AS oldest_s

-- name: prepared_transactions
SELECT 0 AS count

-- name: states
-- `confirmable`: without a confirmed_at column everybody counts as confirmed.
SELECT count(*) AS users,
       count(*) FILTER (WHERE confirmed AND NOT locked AND NOT deleted) AS active,
       count(*) FILTER (WHERE NOT confirmed) AS unconfirmed,
       count(*) FILTER (WHERE confirmed AND pending <> '') AS pending_email_change,
       count(*) FILTER (WHERE locked) AS locked_now,
       count(*) FILTER (WHERE ever_locked AND NOT locked) AS lock_expired,
       count(*) FILTER (WHERE deleted) AS soft_deleted,
       count(*) FILTER (WHERE second_factor) AS second_factor,
       count(*) FILTER (WHERE password = '') AS without_password,
       count(*) FILTER (WHERE password <> '' AND confirmed AND NOT locked AND NOT deleted AND NOT second_factor) AS active_with_password,
       count(remembered) AS remembered,
       max(remembered) AS "last_remembered [utc]"
FROM (SELECT (NOT %(confirmable)s OR {confirmed_at} IS NOT NULL) AS confirmed,
             {locked_at} IS NOT NULL AS ever_locked,
             coalesce(%(unlock_in)s IS NULL OR migrator_ms({locked_at}) > migrator_ms(%(now)s) - %(unlock_in)s * 1000, FALSE)
               AND {locked_at} IS NOT NULL AS locked,
             {deleted_at} IS NOT NULL AS deleted,
             coalesce({second_factor}, FALSE) AS second_factor,
             coalesce({pending}, '') AS pending,
             coalesce({password}, '') AS password,
             {remembered} AS remembered
      FROM {users} AS u) AS state

-- name: odd_times
-- What is no time at all; every other one can be carried.
SELECT count(*) FILTER (WHERE migrator_ms({column}) = 9223372036854775807) AS infinite, 0 AS out_of_range
FROM {users} AS u

-- name: key_range
SELECT (SELECT CAST(u.{pk} AS TEXT) FROM {users} AS u ORDER BY u.{pk} LIMIT 1) AS lowest,
       (SELECT CAST(u.{pk} AS TEXT) FROM {users} AS u ORDER BY u.{pk} DESC LIMIT 1) AS highest

-- name: identities
SELECT CAST({provider} AS TEXT) AS provider, count(*) AS count FROM {identities} AS i GROUP BY 1 ORDER BY 2 DESC, 1

-- name: identity_only
-- Users without a password who have, or have not, a sign-in at a provider.
SELECT count(*) FILTER (WHERE linked) AS with_identity, count(*) FILTER (WHERE NOT linked) AS without_identity
FROM (SELECT EXISTS (SELECT 1 FROM {identities} AS i WHERE i.{user_id} = u.{pk}) AS linked
      FROM {users} AS u WHERE coalesce(u.{password}, '') = '') AS passwordless

-- name: inline_only
SELECT count(*) FILTER (WHERE linked) AS with_identity, count(*) FILTER (WHERE NOT linked) AS without_identity
FROM (SELECT coalesce({provider} <> '', FALSE) AS linked
      FROM {users} AS u WHERE coalesce({password}, '') = '') AS passwordless

-- name: sessions
SELECT count(*) AS rows, min(updated_at) AS "oldest [utc]", max(updated_at) AS "newest [utc]" FROM {sessions}

-- name: login
-- Whom Devise's login form finds for a normalised address.
SELECT CAST({password} AS TEXT) AS password, {salt} AS salt
FROM {users} AS u WHERE {email} = %(email)s ORDER BY {pk} LIMIT 1
