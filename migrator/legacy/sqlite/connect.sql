-- name: read_only
PRAGMA query_only = ON

-- name: writing
PRAGMA foreign_keys = ON

-- name: columns
-- In PostgreSQL's words, after the types that a schema declares; SQLite itself keeps to none.
SELECT name,
  CASE
    WHEN type LIKE 'bool%%' THEN 'boolean'
    WHEN type LIKE 'datetime%%' OR type LIKE 'timestamp%%' THEN 'timestamp without time zone'
    WHEN type LIKE 'date%%' THEN 'date'
    WHEN type LIKE 'bigint%%' THEN 'bigint'
    WHEN type LIKE '%%int%%' THEN 'integer'
    WHEN type LIKE 'varchar%%' THEN 'character varying'
    WHEN type LIKE 'char%%' THEN 'character'
    WHEN type LIKE '%%text%%' THEN 'text'
    ELSE lower(type)
  END
FROM pragma_table_xinfo(%(table)s, %(schema)s) WHERE hidden <> 1 ORDER BY cid

-- name: primary_key
SELECT name FROM pragma_table_info(%(table)s, %(schema)s) WHERE pk > 0 ORDER BY pk

-- name: tables
SELECT %(schema)s || '.' || name FROM sqlite_master
WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%%' ESCAPE '\'
ORDER BY name LIKE '%%user%%' DESC, name
LIMIT %(limit)s

-- name: now
SELECT strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now') AS "now [utc]"
