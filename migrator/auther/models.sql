-- name: has_models
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'authorization_models'

-- name: models
SELECT "entity_type", "definition" FROM "authorization_models"

-- name: tuples_of_users
SELECT "id" FROM "access_tuples"
WHERE "subject_type" = 'user' AND "subject_id" IN (SELECT value FROM json_each(?))
