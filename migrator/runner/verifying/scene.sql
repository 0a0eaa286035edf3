-- name: canaries
SELECT user_pk, auther_id, home, pinned_reason, auth_valid_after FROM {identity}
WHERE source = %(source)s AND user_pk = ANY(%(pks)s)

-- name: put_back
UPDATE {identity}
SET home = %(home)s, pinned_reason = %(pinned_reason)s, auth_valid_after = %(auth_valid_after)s
WHERE source = %(source)s AND user_pk = %(pk)s

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
