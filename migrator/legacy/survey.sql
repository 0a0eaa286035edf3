-- name: set_limits
SELECT set_config('statement_timeout', %(timeout)s, false), set_config('TimeZone', 'UTC', false);

-- name: server
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS version_num,
       current_database()::text AS database, current_user::text AS role, pg_is_in_recovery() AS is_replica,
       current_setting('server_encoding') AS encoding,
       pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all_activity;

-- name: relation
-- Sizes in bytes; `row_security_active`: policies may hide rows from this role.
SELECT c.oid::bigint AS oid, c.relkind::text AS kind, pg_get_userbyid(c.relowner)::text AS owner,
       pg_has_role(c.relowner, 'USAGE') AS owned, row_security_active(c.oid) AS rows_hidden,
       has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AS writable,
       has_schema_privilege(n.oid, 'USAGE') AS schema_usable, has_schema_privilege(n.oid, 'CREATE') AS schema_creatable,
       greatest(c.reltuples, 0)::bigint AS rows_estimate,
       coalesce(pg_total_relation_size(c.oid), 0) AS total_bytes, coalesce(pg_table_size(c.oid), 0) AS table_bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: columns
SELECT a.attname::text AS name, t.typname::text AS type, t.typcategory::text AS category,
       has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: foreign_keys
-- `indexed`: some valid, whole index begins with exactly these columns in any order, so that deleting a user is no full scan.
SELECT n.nspname::text AS schema, c.relname::text AS table, k.conname::text AS name,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place) AS columns,
       CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                          WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS on_delete,
       k.convalidated AS validated, greatest(c.reltuples, 0)::bigint AS rows_estimate,
       EXISTS (SELECT FROM pg_index i
               CROSS JOIN LATERAL (SELECT (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(k.conkey)]) AS head(columns)
               WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                 AND head.columns @> k.conkey AND head.columns <@ k.conkey) AS indexed
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = %(oid)s AND k.conparentid = 0
ORDER BY n.nspname, c.relname, k.conname;

-- name: loose_references
-- Columns that point at users by convention alone: `user_id` without a foreign key, and polymorphic pairs (`x_type`, `x_id`).
SELECT n.nspname::text AS schema, c.relname::text AS table, a.attname::text AS column,
       EXISTS (SELECT FROM pg_attribute kind WHERE kind.attrelid = c.oid AND NOT kind.attisdropped
                 AND kind.attname = regexp_replace(a.attname::text, '_id$', '_type')) AS polymorphic
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped AND c.oid <> %(oid)s
  AND n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
  AND a.attname LIKE '%%\_id'
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = c.oid AND a.attnum = ANY (k.conkey))
  AND (a.attname = %(reference)s
       OR EXISTS (SELECT FROM pg_attribute kind WHERE kind.attrelid = c.oid AND NOT kind.attisdropped
                    AND kind.attname = regexp_replace(a.attname::text, '_id$', '_type')))
ORDER BY 1, 2, 3;

-- name: identity_suspects
-- Tables in the form that guides to OmniAuth and Socialite make: provider, uid and a reference to the user.
SELECT format('%%s.%%s', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
         AND a.attname IN ('provider', %(reference)s)) = 2
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = ANY(%(uids)s))
ORDER BY 1;

-- name: bearer_suspects
-- Tables of gems that issue bearer tokens of their own: Doorkeeper, devise-jwt, devise_token_auth, simple API keys.
SELECT format('%%s.%%s', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%%'
  AND c.relname IN ('oauth_access_tokens', 'jwt_denylist', 'jwt_denylists', 'jwt_blacklist', 'allowlisted_jwts',
                    'whitelisted_jwts', 'api_keys', 'api_tokens', 'personal_access_tokens')
ORDER BY 1;

-- name: long_transactions
-- Age in seconds. Other roles' transactions are visible only with pg_read_all_stats.
SELECT count(*) AS count, coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8 AS oldest_s
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND xact_start < clock_timestamp() - make_interval(secs => %(longer_than_s)s);

-- name: prepared_transactions
SELECT count(*) AS count FROM pg_prepared_xacts WHERE database = current_database();

-- name: states
-- A column that the table lacks is given as a NULL of its type. `confirmable`: without a confirmed_at column everybody counts as confirmed.
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
       max(remembered) FILTER (WHERE isfinite(remembered)) AS last_remembered
FROM (SELECT (NOT %(confirmable)s OR {confirmed_at} IS NOT NULL) AS confirmed,
             {locked_at} IS NOT NULL AS ever_locked,
             coalesce(%(unlock_in)s::interval IS NULL OR {locked_at} > %(now)s - %(unlock_in)s::interval, false)
               AND {locked_at} IS NOT NULL AS locked,
             {deleted_at} IS NOT NULL AS deleted,
             coalesce({second_factor}, false) AS second_factor,
             coalesce({pending}, '') AS pending,
             coalesce({password}, '') AS password,
             {remembered} AS remembered
      FROM {users} AS u) AS state;

-- name: odd_times
-- Times that no integer of milliseconds holds, or that JavaScript's Date does not (its last year is 275760).
SELECT count(*) FILTER (WHERE NOT isfinite({column})) AS infinite,
       count(*) FILTER (WHERE isfinite({column}) AND {column} >= '275760-09-13') AS out_of_range
FROM {users} AS u;

-- name: schema_rights
SELECT has_schema_privilege(n.oid, 'USAGE') AS schema_usable, has_schema_privilege(n.oid, 'CREATE') AS schema_creatable
FROM pg_namespace n WHERE n.nspname = %(schema)s;

-- name: key_range
-- By order, since not every server has min and max of a uuid; by the column, not by its text.
SELECT (SELECT u.{pk}::text FROM {users} AS u ORDER BY u.{pk} LIMIT 1) AS lowest,
       (SELECT u.{pk}::text FROM {users} AS u ORDER BY u.{pk} DESC NULLS LAST LIMIT 1) AS highest;

-- name: identities
SELECT {provider}::text AS provider, count(*) AS count FROM {identities} AS i GROUP BY 1 ORDER BY 2 DESC, 1;

-- name: identity_only
-- Users without a password who have, or have not, a sign-in at a provider.
SELECT count(*) FILTER (WHERE linked) AS with_identity, count(*) FILTER (WHERE NOT linked) AS without_identity
FROM (SELECT EXISTS (SELECT FROM {identities} AS i WHERE i.{user_id} = u.{pk}) AS linked
      FROM {users} AS u WHERE coalesce(u.{password}::text, '') = '') AS passwordless;

-- name: inline_identities
SELECT {provider} AS provider, count(*) AS count FROM {users} AS u WHERE {provider} <> '' GROUP BY 1 ORDER BY 2 DESC, 1;

-- name: inline_only
SELECT count(*) FILTER (WHERE linked) AS with_identity, count(*) FILTER (WHERE NOT linked) AS without_identity
FROM (SELECT coalesce({provider} <> '', false) AS linked
      FROM {users} AS u WHERE coalesce({password}::text, '') = '') AS passwordless;

-- name: sessions
SELECT count(*) AS rows, min(updated_at) AS oldest, max(updated_at) AS newest FROM {sessions};

-- name: laravel_sessions
SELECT count(*) AS rows, count(user_id) AS of_users,
       to_timestamp(min(last_activity)) AS oldest, to_timestamp(max(last_activity)) AS newest FROM {sessions};

-- name: laravel_tokens
-- Fortify's secret is there before its owner has shown that the factor works; without its column nobody is asked to.
SELECT count(*) FILTER (WHERE {remember_token} <> '') AS remember_me,
       count(*) FILTER (WHERE {secret} <> '' AND {confirmed_at} IS NULL) AS factors_begun,
       count(*) FILTER (WHERE {api_token} <> '') AS api
FROM {users};

-- name: login
-- Whom the login form finds for an address.
SELECT {password}::text AS password, {salt} AS salt
FROM {users} AS u WHERE {email} = %(email)s ORDER BY {pk} LIMIT 1;
