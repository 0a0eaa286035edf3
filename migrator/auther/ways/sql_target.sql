-- name: find_ids
SELECT "id" FROM "user" WHERE "id" IN (SELECT value FROM json_each(?))

-- name: find_emails
SELECT "email", "id" FROM "user" WHERE "email" IN (SELECT value FROM json_each(?))

-- name: find_usernames
SELECT "username", "id" FROM "user" WHERE "username" IN (SELECT value FROM json_each(?))

-- name: read_users
SELECT
  u."id", u."name", u."email", u."email_verified", u."image", u."created_at", u."updated_at", u."role",
  u."banned", u."ban_reason", u."ban_expires", u."username", u."display_username"
FROM json_each(?) AS w CROSS JOIN "user" AS u ON u."id" = w.value

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
-- Writes a user who is still as it was read, accounts included, and takes hold of it by a time that no row can have.
-- The values: the row as read, the row to write without its id, then what `accounts_as_read` and `new_ones` take.
-- Whose new address or name another user has is passed over. The signs keep SQLite from looking users up by
-- their names, where all those without one would be the same. Address and name are left out where nobody has a
-- new one: to set them, be it to the same, writes two indexes.
UPDATE OR IGNORE "user" SET
  ("name", "email_verified", "image", "created_at", "role", "banned", "ban_reason", "ban_expires")
  = ({v[13]}, {v[15]}, {v[16]}, {v[17]}, {v[19]},
     {v[20]}, {v[21]}, {v[22]}),
  {renaming}
  "updated_at" = {time}
{rows}
WHERE "user"."id" = {v[0]} AND (
    +"user"."name", +"user"."email", +"user"."email_verified", +"user"."image", +"user"."created_at",
    +"user"."updated_at", +"user"."role", +"user"."banned", +"user"."ban_reason", +"user"."ban_expires",
    +"user"."username", +"user"."display_username"
  ) IS (
    {v[1]}, {v[2]}, {v[3]}, {v[4]}, {v[5]}, {v[6]},
    {v[7]}, {v[8]}, {v[9]}, {v[10]}, {v[11]}, {v[12]}
  )
  {accounts}
  {new_ones}

-- name: held_time
0.5

-- name: accounts_as_read
-- One value: a JSON array.
AND (SELECT count(*) FROM "account" WHERE "user_id" = "user"."id") = json_array_length({v[25]})
AND NOT EXISTS (
  SELECT 1 FROM json_each({v[25]}) AS b WHERE NOT EXISTS (
    SELECT 1 FROM "account" AS a WHERE a."id" = b.value ->> 0
      AND (a."account_id", a."provider_id", a."user_id", a."password", a."created_at", a."updated_at")
      IS (b.value ->> 1, b.value ->> 2, b.value ->> 3, b.value ->> 4, b.value ->> 5, b.value ->> 6)
  )
)

-- name: account_is
-- For users with one account, whose values follow each other: 1 for the account, at least 2 for any other.
AND (
  SELECT sum(2 - (
    (a."id", a."account_id", a."provider_id", a."user_id", a."password", a."created_at", a."updated_at")
    IS ({v[25]}, {v[26]}, {v[27]}, {v[28]}, {v[29]}, {v[30]}, {v[31]})
  )) FROM "account" AS a WHERE a."user_id" = "user"."id"
) = 1

-- name: renew_account
-- Writes what the only account of a user says, if both are still as they were read. The values: the user and the
-- account as read, and what the account shall say. Whose account it is finds it, as it does its user's others.
UPDATE "account" SET ("password", "created_at", "updated_at") = ({v[20]}, {v[21]}, {v[22]})
{rows}
WHERE "account"."user_id" = {v[16]} AND (
    +"account"."id", "account"."account_id", "account"."provider_id", "account"."password",
    "account"."created_at", "account"."updated_at"
  ) IS ({v[13]}, {v[14]}, {v[15]}, {v[17]}, {v[18]}, {v[19]})
  AND (SELECT count(*) FROM "account" AS a WHERE a."user_id" = {v[0]}) = 1
  AND EXISTS (
    SELECT 1 FROM "user" AS u WHERE u."id" = {v[0]} AND (
      +u."name", +u."email", +u."email_verified", +u."image", +u."created_at", +u."updated_at", +u."role",
      +u."banned", +u."ban_reason", +u."ban_expires", +u."username", +u."display_username"
    ) IS (
      {v[1]}, {v[2]}, {v[3]}, {v[4]}, {v[5]}, {v[6]},
      {v[7]}, {v[8]}, {v[9]}, {v[10]}, {v[11]}, {v[12]}
    )
  )

-- name: new_time
{v[18]}

-- name: renaming
("email", "username", "display_username") = ({v[14]}, {v[23]}, {v[24]}),

-- name: new_ones
-- One value: the new accounts' ids as a JSON array.
AND NOT EXISTS (
  SELECT 1 FROM json_each({v[26]}) AS n JOIN "account" AS a ON a."id" = n.value
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
  ("password", "created_at", "updated_at") = ({v[4]}, {v[5]}, {v[6]})
{rows}
WHERE "account"."id" = {v[0]} AND {held}

-- name: moving
("account_id", "provider_id", "user_id") = ({v[1]}, {v[2]}, {v[3]}),

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
UPDATE "user" SET "updated_at" = {v[1]} {rows}
WHERE "user"."id" = {v[0]} AND "user"."updated_at" = 0.5

-- name: tuples_of_users
SELECT
  "id", "entity_type", "entity_type_id", "entity_id", "relation", "subject_type", "subject_id",
  "subject_relation", "condition", "created_at", "updated_at"
FROM "access_tuples" WHERE "subject_type" = 'user' AND "subject_id" IN (SELECT value FROM json_each(?))
ORDER BY "id"
