-- name: canaries
SELECT user_pk, auther_id, home, pinned_reason, auth_valid_after FROM {identity}
WHERE source = %(source)s AND user_pk = ANY(%(pks)s)

-- name: put_back
UPDATE {identity} AS i
SET home = k.home, pinned_reason = k.pinned_reason, auth_valid_after = k.auth_valid_after
FROM unnest(
  %(pks)s::text[], %(homes)s::text[], %(reasons)s::text[], %(afters)s::timestamptz[]
) AS k (user_pk, home, pinned_reason, auth_valid_after)
WHERE i.source = %(source)s AND i.user_pk = k.user_pk
  AND (i.home, i.pinned_reason, i.auth_valid_after)
    IS DISTINCT FROM (k.home, k.pinned_reason, k.auth_valid_after)

-- name: change
UPDATE {identity}
SET home = coalesce(%(home)s, home), pinned_reason = coalesce(%(pinned_reason)s, pinned_reason),
    auth_valid_after = coalesce(%(auth_valid_after)s, auth_valid_after)
WHERE source = %(source)s AND user_pk = %(pk)s

-- name: home
SELECT home FROM {identity} WHERE source = %(source)s AND user_pk = %(pk)s

-- name: users_of
SELECT user_pk FROM {identity} WHERE source = %(source)s AND auther_id = %(auther_id)s

-- name: moved
-- Real people whose home has moved: no canary is one of them.
SELECT count(*) FROM {identity}
WHERE source = %(source)s AND home = 'auther' AND user_pk <> ALL(%(pks)s)

-- name: forget_newcomer
-- The users that a first request of the suite's own made-up people came to.
WITH gone AS (
  DELETE FROM {identity}
  WHERE source = %(source)s AND auther_id = %(auther_id)s AND origin = 'jit'
  RETURNING user_pk
)
DELETE FROM {users} AS u USING gone WHERE u.{id}::text = gone.user_pk

-- name: bury
INSERT INTO {tombstone} (auther_id, until) VALUES (%(auther_id)s, now() + interval '1 hour')

-- name: exhume
DELETE FROM {tombstone} WHERE auther_id = %(auther_id)s
