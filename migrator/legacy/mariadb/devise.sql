-- name: users_page
SELECT {id}, {email}, {encrypted_password}, {name}, {username},
       {created_at}, {updated_at}, {confirmed_at}, {locked_at}, {deleted_at},
       {second_factor}, {provider}, {uid}{extras}
FROM {users} AS u
WHERE {beyond}
ORDER BY {id}
LIMIT %(rows)s

-- name: among
{id} IN %(pks)s

-- name: among_integers
{id} IN %(pks)s

-- name: identities_page
SELECT {id}, i.{identity_provider}, i.{identity_uid}, {linked_at}
FROM {identities} AS i
JOIN {users} AS u ON {id} = i.{identity_user}
WHERE {beyond} AND {id} <= %(last)s
ORDER BY {id}, i.{identity_provider}, i.{identity_uid}

-- name: roles_page
SELECT {id}, r.name, {role_kind}, {role_thing}
FROM {role_join} AS j
JOIN {role_table} AS r ON r.id = j.role_id
JOIN {users} AS u ON {id} = j.user_id
WHERE {beyond} AND {id} <= %(last)s
ORDER BY {id}

-- name: as_json
{column}

-- name: epoch_ms
-- A zero date is how an old schema writes NULL; any other date that is none cannot be carried.
CASE WHEN {column} IS NULL OR {column} = '0000-00-00' THEN NULL
     ELSE COALESCE(FLOOR(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {column}) / 1000), 9223372036854775807) END

-- name: is_true
CASE WHEN {column} THEN 't' ELSE 'f' END

-- name: is_set
CASE WHEN {column} IS NOT NULL THEN 't' ELSE 'f' END

-- name: never
'f'

-- name: estimated_users
SELECT COALESCE(MAX(table_rows), 0) FROM information_schema.tables
WHERE table_schema = %(schema)s AND table_name = %(table)s

-- name: odd_emails
-- Anything but printable ASCII without capitals and blanks: more than is not in normal form.
SELECT {id}, {email}
FROM {users} AS u
WHERE {beyond} AND CAST({email} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin REGEXP '[^!-@[-~]'
ORDER BY {id}
LIMIT %(rows)s

-- name: emails_present
-- The column's own comparison finds them by its index, and finds more than these spellings.
SELECT DISTINCT CAST({email} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin
FROM {users} AS u
WHERE {email} IN %(emails)s
  AND CAST({email} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin IN %(emails)s

-- name: has_unique_emails
SELECT EXISTS (
  SELECT 1 FROM information_schema.statistics AS s
  WHERE s.table_schema = %(schema)s AND s.table_name = %(table)s
  GROUP BY s.index_name
  HAVING MAX(s.non_unique) = 0 AND COUNT(*) = 1 AND MAX(s.column_name) = %(email)s
     AND MAX(s.sub_part) IS NULL
)

-- name: repeated_emails
-- Alike by the column's own comparison, as the login form looks for them: capitals, accents and blanks
-- at the end may not tell addresses apart. Each spelling is given, with the first key of all.
SELECT DISTINCT g.first, CAST({email} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin
FROM {users} AS u
JOIN (
  SELECT MIN({id}) AS first, {email} AS email
  FROM {users} AS u WHERE {email} <> '' GROUP BY {email} HAVING count(*) > 1
) AS g ON {email} = g.email

-- name: contested_identities
SELECT provider, uid
FROM ({claims}) AS claim
WHERE provider IS NOT NULL AND uid IS NOT NULL
GROUP BY provider, uid
HAVING count(DISTINCT user_id) > 1

-- name: linked_claims
SELECT CAST({id} AS CHAR) AS user_id,
       CAST(i.{identity_provider} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin AS provider,
       CAST(i.{identity_uid} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin AS uid
FROM {identities} AS i JOIN {users} AS u ON {id} = i.{identity_user}

-- name: own_claims
SELECT CAST({id} AS CHAR) AS user_id,
       CAST({provider} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin AS provider,
       CAST({uid} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin AS uid
FROM {users} AS u

-- name: contested_usernames
SELECT LOWER(CAST({username} AS CHAR CHARACTER SET utf8mb4)) COLLATE utf8mb4_nopad_bin AS name
FROM {users} AS u
WHERE {username} IS NOT NULL
GROUP BY name
HAVING count(*) > 1
