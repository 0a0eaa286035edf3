-- name: has_models
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'authorization_models'

-- name: models
SELECT "entity_type", "definition" FROM "authorization_models"
