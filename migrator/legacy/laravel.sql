-- name: users
SELECT {parts} FROM {users} AS u

-- name: in_zone
({column} AT TIME ZONE {zone})

-- name: knows_zone
SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = %(zone)s)

-- name: is_filled
coalesce({column}::text, '') <> ''

-- name: own_role
array_remove(ARRAY[{column}::text], NULL)

-- name: own_roles
coalesce({column}::text[], '{{}}')

-- name: roles
-- A role within a team is no role everywhere.
ARRAY(SELECT DISTINCT concat_ws(':', r.name::text{team}) FROM {join} AS j JOIN {roles} AS r ON r.id = j.role_id
      WHERE j.{user} = CAST({id} AS {type}) AND j.model_type = {model})

-- name: team
, CASE WHEN j.{column} IS NOT NULL THEN {team} END, j.{column}::text

-- name: model_types
SELECT DISTINCT model_type::text FROM {join} ORDER BY 1

-- name: linked
SELECT i.user_id, i.{provider}::text AS provider, i.{uid}::text AS uid{times} FROM {table} AS i

-- name: time
, {time} AS {column}

-- name: own_link
SELECT u.{id} AS user_id, {driver} AS provider, u.{column}::text AS uid{times} FROM {users} AS u WHERE u.{column}::text <> ''

-- name: spelled
-- `found`: the login form cuts off what PHP's trim does, and Eloquent passes over what was deleted.
COPY (
  SELECT u.{id}::text, u.{email}::text,
         btrim(u.{email}::text, E' \t\n\r\x0B') = u.{email}::text AND {alive}
  FROM {users} AS u
  WHERE u.{email} = ANY(%(emails)s)
) TO STDOUT

-- name: alive
u.{deleted_at} IS NULL

-- name: alive_by_flag
u.{deleted_at} IS NOT TRUE

-- name: now
to_char(clock_timestamp() AT TIME ZONE {zone}, 'YYYY-MM-DD"T"HH24:MI:SS.US')
