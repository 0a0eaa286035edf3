-- name: session
-- Names are quoted as everywhere in SQL; times travel in UTC; a value that does not fit is an error.
SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',
  innodb_lock_wait_timeout = 30, lock_wait_timeout = 30

-- name: read_only
SET SESSION TRANSACTION READ ONLY

-- name: writing
-- What is read after a row is locked has to be what is there now.
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED

-- name: limit
SET SESSION max_statement_time = %(seconds)s

-- name: version
SELECT version()

-- name: columns
-- In PostgreSQL's words; Rails reads a tinyint(1) as a flag.
SELECT column_name,
  CASE
    WHEN column_type LIKE 'tinyint(1)%%' THEN 'boolean'
    WHEN data_type IN ('tinyint', 'smallint') THEN 'smallint'
    WHEN data_type IN ('mediumint', 'int') THEN 'integer'
    WHEN data_type = 'datetime' THEN 'timestamp without time zone'
    WHEN data_type = 'timestamp' THEN 'timestamp with time zone'
    WHEN data_type = 'varchar' THEN 'character varying'
    WHEN data_type = 'char' THEN 'character'
    WHEN data_type IN ('tinytext', 'text', 'mediumtext', 'longtext') THEN 'text'
    ELSE data_type
  END
FROM information_schema.columns
WHERE table_schema = %(schema)s AND table_name = %(table)s
ORDER BY ordinal_position

-- name: primary_key
SELECT column_name FROM information_schema.statistics
WHERE table_schema = %(schema)s AND table_name = %(table)s AND index_name = 'PRIMARY'
ORDER BY seq_in_index

-- name: tables
SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables
WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
ORDER BY table_schema = %(schema)s DESC, table_name LIKE '%%user%%' DESC, table_schema, table_name
LIMIT %(limit)s

-- name: transactions
-- InnoDB keeps this list for 0.1 s, so it tells of a moment a little before now. It has the server's own
-- local times, of which an hour comes twice each autumn: then the earlier one holds.
SELECT UTC_TIMESTAMP(6) - INTERVAL 200000 MICROSECOND,
       MIN(CASE WHEN CONVERT_TZ(t.began - INTERVAL 1 HOUR, '+00:00', 'SYSTEM') = t.trx_started
                THEN t.began - INTERVAL 1 HOUR ELSE t.began END)
FROM (
  SELECT trx_started, CONVERT_TZ(trx_started, 'SYSTEM', '+00:00') AS began
  FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()
) AS t

-- name: clock
SELECT UTC_TIMESTAMP(6)
