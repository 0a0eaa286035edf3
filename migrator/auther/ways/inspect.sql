-- name: journal_mode
PRAGMA journal_mode

-- name: schema_size
SELECT count(*) FROM sqlite_master

-- name: begin_write
BEGIN IMMEDIATE

-- name: rollback
ROLLBACK

-- name: users
SELECT count(*) FROM "user"

-- name: accounts
SELECT count(*), coalesce(sum(provider_id = 'credential'), 0), coalesce(sum(password GLOB 'migrator:v1:*'), 0)
FROM account

-- name: account_indexes
SELECT count(*)
FROM pragma_index_list('account') AS i JOIN pragma_index_info(i.name) AS c ON c.seqno = 0
WHERE c.name = 'user_id' AND i.partial = 0
