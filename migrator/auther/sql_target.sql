-- name: find_ids
SELECT "id" FROM "user" WHERE "id" IN (SELECT value FROM json_each(?))

-- name: find_emails
SELECT "email", "id" FROM "user" WHERE "email" IN (SELECT value FROM json_each(?))

-- name: find_usernames
SELECT "username", "id" FROM "user" WHERE "username" IN (SELECT value FROM json_each(?))

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

-- name: find_subjects
-- One parameter: account ids as a JSON array. Auther has no index on them: this reads all accounts.
SELECT "provider_id", "account_id", "user_id" FROM "account"
WHERE "provider_id" <> 'credential' AND "account_id" IN (SELECT value FROM json_each(?))

-- name: remove_marks
DELETE FROM "verification" WHERE "identifier" IN (SELECT 'migrator:user:' || value FROM json_each(?))

-- name: remove_tuples
DELETE FROM "access_tuples"
WHERE "subject_type" = 'user' AND "subject_id" IN (SELECT value FROM json_each(?))

-- name: guard_user
-- Fails where the user is not like this any more: no row can have NULL as its id.
INSERT INTO "user" ("id") SELECT NULL WHERE NOT EXISTS (
  SELECT 1 FROM "user" WHERE "id" = ? AND (
    "id", "name", "email", "email_verified", "image", "created_at", "updated_at", "role",
    "banned", "ban_reason", "ban_expires", "username", "display_username"
  ) IS (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
)

-- name: guard_account
INSERT INTO "account" ("id") SELECT NULL WHERE NOT EXISTS (
  SELECT 1 FROM "account" WHERE "id" = ? AND (
    "id", "account_id", "provider_id", "user_id", "password", "created_at", "updated_at"
  ) IS (?, ?, ?, ?, ?, ?, ?)
)

-- name: guard_accounts
INSERT INTO "account" ("id") SELECT NULL
WHERE (SELECT count(*) FROM "account" WHERE "user_id" = ?) <> ?

-- name: update_user
-- Without "id": for a key that others refer to, even an unchanged one, SQLite looks through their tables.
UPDATE "user" SET (
  "name", "email", "email_verified", "image", "created_at", "updated_at", "role",
  "banned", "ban_reason", "ban_expires", "username", "display_username"
) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
WHERE "id" = ?

-- name: update_account
UPDATE "account" SET (
  "id", "account_id", "provider_id", "user_id", "password", "created_at", "updated_at"
) = (?, ?, ?, ?, ?, ?, ?)
WHERE "id" = ?

-- name: remove_accounts
DELETE FROM "account" WHERE "id" IN (SELECT value FROM json_each(?))
