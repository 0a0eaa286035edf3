-- name: table_count
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'

-- name: columns
SELECT name, "notnull" AND dflt_value IS NULL FROM pragma_table_info(?)

-- name: insert_user
INSERT INTO "user" (
  "id", "name", "email", "email_verified", "image", "created_at", "updated_at", "role",
  "banned", "ban_reason", "ban_expires", "username", "display_username"
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT ("id") DO NOTHING

-- name: insert_account
INSERT INTO "account" (
  "id", "account_id", "provider_id", "user_id", "password", "created_at", "updated_at"
)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT ("id") DO NOTHING

-- name: find_ids
SELECT "id" FROM "user" WHERE "id" IN (SELECT value FROM json_each(?))

-- name: find_account_ids
SELECT "id", "user_id" FROM "account" WHERE "id" IN (SELECT value FROM json_each(?))

-- name: find_emails
SELECT "email", "id" FROM "user" WHERE "email" IN (SELECT value FROM json_each(?))

-- name: find_usernames
SELECT "username", "id" FROM "user" WHERE "username" IN (SELECT value FROM json_each(?))

-- name: copy_subjects
CREATE TEMP TABLE IF NOT EXISTS migrator_subject AS
SELECT "provider_id", "account_id", "user_id" FROM "account" WHERE "provider_id" <> 'credential'

-- name: index_subjects
CREATE INDEX IF NOT EXISTS temp.migrator_subject_key ON migrator_subject ("account_id", "provider_id")

-- name: find_subjects
SELECT "provider_id", "account_id", "user_id" FROM temp.migrator_subject
WHERE "account_id" IN (SELECT value FROM json_each(?))

-- name: read_users
SELECT
  "id", "name", "email", "email_verified", "image", "created_at", "updated_at", "role",
  "banned", "ban_reason", "ban_expires", "username", "display_username"
FROM "user" WHERE "id" IN (SELECT value FROM json_each(?))

-- name: read_accounts
SELECT "id", "account_id", "provider_id", "user_id", "password", "created_at", "updated_at"
FROM "account" WHERE "user_id" IN (SELECT value FROM json_each(?))
ORDER BY "user_id", "id"

-- name: page_of_ids
SELECT "id" FROM "user" WHERE "id" > ? ORDER BY "id" LIMIT ?

-- name: index_of_accounts
SELECT count(*)
FROM pragma_index_list('account') AS i JOIN pragma_index_info(i.name) AS c ON c.seqno = 0
WHERE c.name = 'user_id' AND i.partial = 0

-- name: create_account_index
CREATE INDEX IF NOT EXISTS "account_user_id_idx" ON "account" ("user_id")

-- name: drop_account_index
DROP INDEX IF EXISTS "account_user_id_idx"

-- name: tables_of_users
SELECT m.name, f."from"
FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f
WHERE m.type = 'table' AND f."table" = 'user'
ORDER BY m.name

-- name: remove_users
DELETE FROM "user" WHERE "id" IN (SELECT value FROM json_each(?))

-- name: count_users
SELECT count(*) FROM "user"

-- name: uses
SELECT DISTINCT {column} FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))
