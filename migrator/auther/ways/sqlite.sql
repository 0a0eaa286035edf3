-- name: copy_subjects
CREATE TEMP TABLE IF NOT EXISTS migrator_subject AS
SELECT "provider_id", "account_id", "user_id" FROM "account" WHERE "provider_id" <> 'credential'

-- name: index_subjects
CREATE INDEX IF NOT EXISTS temp.migrator_subject_key ON migrator_subject ("account_id", "provider_id")

-- name: find_subjects
SELECT "provider_id", "account_id", "user_id" FROM temp.migrator_subject
WHERE "account_id" IN (SELECT value FROM json_each(?))

-- name: signing_keys
SELECT "id" FROM "jwks"
