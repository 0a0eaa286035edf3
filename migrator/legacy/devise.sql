-- name: users_page
COPY (
  SELECT {id}, {email}, {encrypted_password}, {name}, {username},
         {created_at}, {updated_at}, {confirmed_at}, {locked_at}, {deleted_at},
         {second_factor}, {provider}, {uid}{extras}
  FROM {users} AS u
  WHERE {beyond}
  ORDER BY {id}
  LIMIT %(rows)s
) TO STDOUT

-- name: users_columns
-- A page of users as one row: each column as one value, texts with a line for each user, numbers as bytes side
-- by side. Whoever has something in another column, or what takes more than a line or fifteen digits, has no
-- address here: `users_page` reads those.
COPY (
  SELECT string_agg(id, E'\n'), string_agg(email, E'\n'), string_agg(password, E'\n'),
         string_agg(encode(sha256(textsend(password)), 'hex'), E'\n'), string_agg(name, E'\n'),
         string_agg(int8send(created), ''), string_agg(int8send(updated), ''), string_agg(confirmed, '')
  FROM (
    SELECT id, coalesce(CASE WHEN is_plain THEN email END, '') AS email, coalesce(password, '') AS password,
           CASE WHEN is_plain THEN name ELSE '' END AS name, coalesce(created, 0) AS created,
           coalesce(updated, 0) AS updated,
           CASE WHEN confirmed IS NULL THEN '\x00'::bytea ELSE '\x01' END AS confirmed
    FROM (
      SELECT *,
             nothing_else AND strpos(name, E'\n') = 0
             AND created BETWEEN -999999999999999 AND 999999999999999
             AND updated BETWEEN -999999999999999 AND 999999999999999
             AND coalesce(confirmed, 0) BETWEEN -999999999999999 AND 999999999999999 AS is_plain
      FROM (
        SELECT {id}::text AS id, {email}::text AS email, {encrypted_password}::text AS password,
               coalesce({name}::text, '') AS name, {created_at}::bigint AS created,
               {updated_at}::bigint AS updated, {confirmed_at}::bigint AS confirmed,
               {username} IS NULL AND {locked_at} IS NULL AND {deleted_at} IS NULL AND NOT {second_factor}
               AND coalesce({provider}::text, '') = '' AND coalesce({uid}::text, '') = ''{no_extras}
               AS nothing_else
        FROM {users} AS u
        WHERE {beyond}
        ORDER BY {id}
        LIMIT %(rows)s
      ) AS page
    ) AS judged
  ) AS told
) TO STDOUT (FORMAT binary)

-- name: beyond
{id} > %(after)s

-- name: among
{id}::text = ANY(%(pks)s::text[])

-- name: among_integers
{id} = ANY(%(pks)s::bigint[])

-- name: identities_page
COPY (
  SELECT {id}, i.{identity_provider}, i.{identity_uid}, {linked_at}
  FROM {identities} AS i
  JOIN {users} AS u ON {id} = i.{identity_user}
  WHERE {beyond} AND {id} <= %(last)s
  ORDER BY {id}, i.{identity_provider}, i.{identity_uid}
) TO STDOUT

-- name: roles_page
COPY (
  SELECT {id}, r.name, {role_kind}, {role_thing}
  FROM {role_join} AS j
  JOIN {role_table} AS r ON r.id = j.role_id
  JOIN {users} AS u ON {id} = j.user_id
  WHERE {beyond} AND {id} <= %(last)s
  ORDER BY {id}
) TO STDOUT

-- name: as_json
to_json({column})::text

-- name: flag_ms
-- A flag says that it happened, not when.
CASE WHEN {column} THEN 0 END

-- name: set_flag
-- NULL where nothing is special: such a line needs no closer look.
CASE WHEN {column} THEN 't' END

-- name: epoch_ms
CASE WHEN {column} IS NULL THEN NULL
     WHEN isfinite({column}) THEN floor(extract(epoch FROM {column}) * 1000)::bigint
     WHEN {column} > 'epoch' THEN 9223372036854775807
     ELSE -9223372036854775807 END

-- name: is_true
{column} IS TRUE

-- name: is_set
{column} IS NOT NULL

-- name: never
FALSE

-- name: estimated_users
SELECT greatest(c.reltuples, 0)::bigint FROM pg_class AS c WHERE c.oid = to_regclass(%(users)s)

-- name: counted_users
SELECT count(*) FROM {users}

-- name: odd_emails
-- Anything but printable ASCII without capitals and blanks: more than is not in normal form.
COPY (
  SELECT {id}, {email}::text
  FROM {users} AS u
  WHERE {beyond} AND {email}::text COLLATE "C" ~ '[^!-@[-~]'
  ORDER BY {id}
  LIMIT %(rows)s
) TO STDOUT

-- name: emails_present
COPY (SELECT DISTINCT {email}::text FROM {users} AS u WHERE {email} = ANY(%(emails)s)) TO STDOUT

-- name: has_unique_emails
-- Tables that inherit from this one are read with it, but its index does not see their rows.
SELECT EXISTS (
  SELECT FROM pg_index AS i
  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = to_regclass(%(users)s) AND a.attname = %(email)s
    AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL
    AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhparent = i.indrelid)
)

-- name: repeated_emails
COPY (
  SELECT (array_agg({id} ORDER BY {id}))[1], {email}::text
  FROM {users} AS u
  WHERE {email}::text <> ''
  GROUP BY {email}::text
  HAVING count(*) > 1
) TO STDOUT

-- name: contested_identities
COPY (
  SELECT provider, uid
  FROM ({claims}) AS claim (user_id, provider, uid)
  WHERE provider IS NOT NULL AND uid IS NOT NULL
  GROUP BY provider, uid
  HAVING count(DISTINCT user_id) > 1
) TO STDOUT

-- name: linked_claims
SELECT {id}::text, i.{identity_provider}::text, i.{identity_uid}::text
FROM {identities} AS i JOIN {users} AS u ON {id} = i.{identity_user}

-- name: own_claims
SELECT {id}::text, {provider}::text, {uid}::text FROM {users} AS u

-- name: contested_usernames
COPY (
  SELECT lower({username}::text COLLATE "C")
  FROM {users} AS u
  WHERE {username} IS NOT NULL
  GROUP BY 1
  HAVING count(*) > 1
) TO STDOUT
