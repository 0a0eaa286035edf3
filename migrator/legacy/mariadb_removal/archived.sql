-- name: snapshot
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: begin_snapshot
START TRANSACTION WITH CONSISTENT SNAPSHOT;

-- name: facts
SELECT DATABASE() AS "database", @@version AS version, @@character_set_database AS encoding, UTC_TIMESTAMP(6) AS snapshot_at;

-- name: types
SELECT c.column_name AS name, c.column_type AS type FROM information_schema.columns AS c
WHERE c.table_schema = %(schema)s AND c.table_name = %(name)s;

-- name: rows
SELECT {columns} FROM {table} AS t {order};

-- name: insert
INSERT INTO {table} ({columns}) VALUES ({places});

-- name: make_wish
CREATE OR REPLACE TEMPORARY TABLE {table} ({definitions}) ENGINE = InnoDB;

-- name: as_written
-- Values as the files have them, and whether the column holds what was said and nothing else.
SELECT {written} AS text, COALESCE({fits}, FALSE) AS fits FROM {wish} AS t ORDER BY t.{place};

-- name: comparable
-- What values are compared by.
SELECT {weights} FROM {wish} AS t ORDER BY t.{place};

-- name: keys_of
SELECT {key_texts} FROM {table} AS t JOIN {wish} AS k ON {same};

-- name: delete_rows
DELETE t FROM {table} AS t JOIN {wish} AS k ON {same};

-- name: ties
-- Foreign keys that point to a table; no name holds a NUL.
SELECT k.constraint_schema AS "schema", k.table_name AS name, k.constraint_name AS "constraint", CONCAT('ON DELETE ', MIN(r.delete_rule)) AS action,
       GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position SEPARATOR '\0') AS columns,
       GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position SEPARATOR '\0') AS targets
FROM information_schema.key_column_usage AS k JOIN information_schema.referential_constraints AS r
  ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name AND r.constraint_name = k.constraint_name
WHERE k.referenced_table_schema = %(schema)s AND k.referenced_table_name = %(name)s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- name: tied_rows
-- Rows that point to those sought.
SELECT COUNT(*) AS "rows" FROM {other} AS k WHERE EXISTS (SELECT 1 FROM {table} AS t JOIN {wish} AS w ON {same} WHERE {points});

-- name: tied_rows_of_itself
-- The same in one table: without those sought themselves.
SELECT COUNT(*) AS "rows" FROM {table} AS k WHERE EXISTS (SELECT 1 FROM {table} AS t JOIN {wish} AS w ON {same} WHERE {points})
  AND NOT EXISTS (SELECT 1 FROM {wish} AS t WHERE {same_again});

-- name: make
CREATE TABLE {table} ({definitions}) ENGINE = InnoDB;

-- name: drop
DROP TABLE IF EXISTS {table};

-- name: session
SET SESSION sql_mode = '{mode}', lock_wait_timeout = {wait_s}, innodb_lock_wait_timeout = {wait_s}, group_concat_max_len = {concat_bytes};

-- name: make_scratch
CREATE DATABASE {database} CHARACTER SET utf8mb4;

-- name: no_database
DROP DATABASE IF EXISTS {database};

-- name: leftovers
-- Without a plan the guard is of no use; in the others there may be tables, which nobody but a plan may drop.
SELECT s.schema_name AS name FROM information_schema.schemata AS s
WHERE s.schema_name IN (%(guard)s, %(quarantine)s, %(archive)s) AND (s.schema_name = %(guard)s OR NOT EXISTS (
  SELECT 1 FROM information_schema.tables AS t WHERE t.table_schema = s.schema_name));

-- name: use
USE {database};

-- name: set_counter
ALTER TABLE {table} AUTO_INCREMENT = {value};

-- name: move
RENAME TABLE {moves};

-- name: counter
SELECT t.auto_increment AS last_value, FALSE AS is_called FROM information_schema.tables AS t
WHERE t.table_schema = %(schema)s AND t.table_name = %(name)s;
