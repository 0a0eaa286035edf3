-- name: users_page
SELECT {id}, {email}, {encrypted_password}, {name}, {username},
       {created_at}, {updated_at}, {confirmed_at}, {locked_at}, {deleted_at},
       {second_factor}, {provider}, {uid}{extras}
FROM {users} AS u
WHERE {beyond}
ORDER BY {id}
LIMIT %(rows)s

-- name: among
{id} IN (SELECT value FROM json_each(%(pks)s))

-- name: among_integers
{id} IN (SELECT value FROM json_each(%(pks)s))

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

-- name: flag_ms
-- A flag says that it happened, not when.
CASE WHEN migrator_flag({column}) THEN 0 END

-- name: set_flag
-- NULL where nothing is special: such a line needs no closer look.
CASE WHEN migrator_flag({column}) THEN 't' END

-- name: epoch_ms
migrator_ms({column})

-- name: is_true
CASE WHEN migrator_flag({column}) THEN 't' ELSE 'f' END

-- name: is_set
CASE WHEN {column} IS NOT NULL THEN 't' ELSE 'f' END

-- name: never
'f'

-- name: estimated_users
-- Nothing here knows without counting.
SELECT 0

-- name: odd_emails
-- Anything but printable ASCII without capitals and blanks: more than is not in normal form.
SELECT {id}, {email}
FROM {users} AS u
WHERE {beyond} AND CAST({email} AS TEXT) GLOB '*[^!-@[-~]*'
ORDER BY {id}
LIMIT %(rows)s

-- name: emails_present
SELECT DISTINCT CAST({email} AS TEXT) COLLATE BINARY
FROM {users} AS u
WHERE {email} IN (SELECT value FROM json_each(%(emails)s))
  AND CAST({email} AS TEXT) COLLATE BINARY IN (SELECT value FROM json_each(%(emails)s))

-- name: has_unique_emails
SELECT EXISTS (
  SELECT 1 FROM pragma_index_list(%(table)s, %(schema)s) AS l
  JOIN pragma_index_info(l.name, %(schema)s) AS i
  WHERE l."unique" AND NOT l.partial
  GROUP BY l.name HAVING count(*) = 1 AND max(i.name) = %(email)s
)

-- name: repeated_emails
-- Alike by the column's own comparison, as the login form looks for them. Each spelling is given, with the
-- first key of all.
SELECT DISTINCT g.first, CAST({email} AS TEXT) COLLATE BINARY
FROM {users} AS u
JOIN (
  SELECT min({id}) AS first, {email} AS email
  FROM {users} AS u WHERE {email} <> '' GROUP BY {email} HAVING count(*) > 1
) AS g ON {email} = g.email

-- name: contested_identities
SELECT provider, uid
FROM ({claims}) AS claim
WHERE provider IS NOT NULL AND uid IS NOT NULL
GROUP BY provider, uid
HAVING count(DISTINCT user_id) > 1

-- name: linked_claims
SELECT {id} AS user_id, CAST(i.{identity_provider} AS TEXT) AS provider, CAST(i.{identity_uid} AS TEXT) AS uid
FROM {identities} AS i JOIN {users} AS u ON {id} = i.{identity_user}

-- name: own_claims
SELECT {id} AS user_id, CAST({provider} AS TEXT) AS provider, CAST({uid} AS TEXT) AS uid FROM {users} AS u

-- name: contested_usernames
SELECT lower({username}) AS name
FROM {users} AS u
WHERE {username} IS NOT NULL
GROUP BY name
HAVING count(*) > 1
