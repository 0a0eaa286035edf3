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

-- name: claim
-- Writes users who are still as they were read, and takes hold of them by a time that no row can have. One
-- parameter: a JSON array of [row as read…, row to write without id…, [accounts as read…], [new accounts' ids…]].
-- Whose new address or name another user has is passed over. The signs keep SQLite from looking users up by
-- their names, where all those without one would be the same. Address and name are left out where nobody has a
-- new one: to set them, be it to the same, writes two indexes.
UPDATE OR IGNORE "user" SET
  ("name", "email_verified", "image", "created_at", "role", "banned", "ban_reason", "ban_expires")
  = (c.value ->> 13, c.value ->> 15, c.value ->> 16, c.value ->> 17, c.value ->> 19,
     c.value ->> 20, c.value ->> 21, c.value ->> 22),
  {renaming}
  "updated_at" = 0.5
FROM json_each(?) AS c
WHERE "user"."id" = c.value ->> 0 AND (
    +"user"."name", +"user"."email", +"user"."email_verified", +"user"."image", +"user"."created_at",
    +"user"."updated_at", +"user"."role", +"user"."banned", +"user"."ban_reason", +"user"."ban_expires",
    +"user"."username", +"user"."display_username"
  ) IS (
    c.value ->> 1, c.value ->> 2, c.value ->> 3, c.value ->> 4, c.value ->> 5, c.value ->> 6,
    c.value ->> 7, c.value ->> 8, c.value ->> 9, c.value ->> 10, c.value ->> 11, c.value ->> 12
  )
  AND (SELECT count(*) FROM "account" WHERE "user_id" = "user"."id") = json_array_length(c.value, '$[25]')
  AND NOT EXISTS (
    SELECT 1 FROM json_each(c.value, '$[25]') AS b WHERE NOT EXISTS (
      SELECT 1 FROM "account" AS a WHERE a."id" = b.value ->> 0
        AND (a."account_id", a."provider_id", a."user_id", a."password", a."created_at", a."updated_at")
        IS (b.value ->> 1, b.value ->> 2, b.value ->> 3, b.value ->> 4, b.value ->> 5, b.value ->> 6)
    )
  )
  {new_ones}

-- name: renaming
("email", "username", "display_username") = (c.value ->> 14, c.value ->> 23, c.value ->> 24),

-- name: new_ones
AND NOT EXISTS (
  SELECT 1 FROM json_each(c.value, '$[26]') AS n JOIN "account" AS a ON a."id" = n.value
)

-- name: held
EXISTS (SELECT 1 FROM "user" AS u WHERE u."id" = {owner} AND u."updated_at" = 0.5)

-- name: held_among
IN (SELECT u."id" FROM json_each(?) AS c JOIN "user" AS u ON u."id" = c.value WHERE u."updated_at" = 0.5)

-- name: remove_accounts
DELETE FROM "account" WHERE "id" IN (SELECT value FROM json_each(?)) AND {held}

-- name: update_accounts
UPDATE "account" SET
  {moving}
  ("password", "created_at", "updated_at") = (c.value ->> 4, c.value ->> 5, c.value ->> 6)
FROM json_each(?) AS c
WHERE "account"."id" = c.value ->> 0 AND {held}

-- name: moving
("account_id", "provider_id", "user_id") = (c.value ->> 1, c.value ->> 2, c.value ->> 3),

-- name: insert_held
INSERT INTO {table} ({columns}) SELECT {values} FROM json_each(?) AS c WHERE {held} {conflict}

-- name: remove_of_users
DELETE FROM {table} WHERE {column} {held_among}

-- name: revoke
DELETE FROM "access_tuples"
WHERE "id" IN (SELECT value FROM json_each(?)) AND "subject_type" = 'user' AND {held}

-- name: remove_held_marks
DELETE FROM "verification" WHERE "identifier" IN (
  SELECT 'migrator:user:' || u."id" FROM json_each(?) AS c JOIN "user" AS u ON u."id" = c.value
  WHERE u."updated_at" = 0.5
)

-- name: release
UPDATE "user" SET "updated_at" = c.value ->> 1 FROM json_each(?) AS c
WHERE "user"."id" = c.value ->> 0 AND "user"."updated_at" = 0.5

-- name: tuples_of_users
SELECT
  "id", "entity_type", "entity_type_id", "entity_id", "relation", "subject_type", "subject_id",
  "subject_relation", "condition", "created_at", "updated_at"
FROM "access_tuples" WHERE "subject_type" = 'user' AND "subject_id" IN (SELECT value FROM json_each(?))
ORDER BY "id"
