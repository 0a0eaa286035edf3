-- name: server
SELECT DATABASE() AS "database", @@version AS version;

-- name: may_trigger
-- With a binary log, triggers and functions are for those whom the server trusts not to make replicas differ.
SELECT NOT @@log_bin OR @@log_bin_trust_function_creators OR EXISTS (
  SELECT 1 FROM information_schema.user_privileges AS p WHERE p.privilege_type = 'SUPER' AND p.grantee = CONCAT(
    '\'', LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1),
    '\'@\'', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '\'')) AS found;

-- name: table
SELECT t.table_type AS kind, t.engine, t.create_options AS options, t.table_comment AS comment
FROM information_schema.tables AS t WHERE t.table_schema = %(schema)s AND t.table_name = %(name)s;

-- name: table_id
SELECT t.table_id FROM information_schema.innodb_sys_tables AS t
WHERE CONVERT(t.name USING binary) = CONCAT(CONVERT(CONVERT(%(schema)s USING filename) USING binary), '/',
                                            CONVERT(CONVERT(%(name)s USING filename) USING binary));

-- name: names
SELECT t.table_name AS name FROM information_schema.tables AS t
WHERE t.table_schema = %(schema)s AND t.table_type = 'BASE TABLE' ORDER BY 1;

-- name: columns
SELECT c.column_name AS name, c.column_type AS type, COALESCE(c.collation_name, '') AS collation,
       COALESCE(c.generation_expression, c.column_default, '') AS "default", c.is_nullable = 'NO' AS not_null,
       CASE WHEN c.extra LIKE '%%auto_increment%%' THEN 'd' ELSE '' END AS identity,
       CASE WHEN c.extra LIKE 'STORED%%' THEN 's' WHEN c.is_generated = 'ALWAYS' THEN 'v' ELSE '' END AS generated, c.column_comment AS comment
FROM information_schema.columns AS c
WHERE c.table_schema = %(schema)s AND c.table_name = %(name)s ORDER BY c.ordinal_position;

-- name: indexes
SELECT s.index_name AS name, MIN(s.non_unique) = 0 AS is_unique, GROUP_CONCAT(s.column_name ORDER BY s.seq_in_index SEPARATOR '\0') AS columns
FROM information_schema.statistics AS s
WHERE s.table_schema = %(schema)s AND s.table_name = %(name)s GROUP BY s.index_name ORDER BY 1;

-- name: inbound
SELECT k.table_schema AS "schema", k.table_name AS "table", k.constraint_name AS name
FROM information_schema.key_column_usage AS k
WHERE k.referenced_table_schema = %(schema)s AND k.referenced_table_name = %(name)s
  AND NOT (k.table_schema = %(schema)s AND k.table_name = %(name)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- name: triggers
SELECT g.trigger_name AS name, g.action_statement AS definition FROM information_schema.triggers AS g
WHERE g.event_object_schema = %(schema)s AND g.event_object_table = %(name)s ORDER BY 1;

-- name: views
SELECT CONCAT(v.table_schema, '.', v.table_name) AS name FROM information_schema.views AS v
WHERE INSTR(REPLACE(v.view_definition, '"', '`'), CONCAT('`', %(schema)s, '`.`', %(name)s, '`')) > 0 ORDER BY 1;

-- name: mentions
SELECT CONCAT(r.routine_schema, '.', r.routine_name) AS name FROM information_schema.routines AS r
WHERE r.routine_schema = %(schema)s AND r.routine_definition LIKE CONCAT('%%', %(name)s, '%%') ORDER BY 1;

-- name: definition
SHOW CREATE TABLE {table};

-- name: count
SELECT COUNT(*) AS found FROM {table};

-- name: bystanders
SELECT 'long transaction' AS kind, CONCAT('connection ', t.trx_mysql_thread_id) AS name,
       CONCAT('open since ', t.trx_started, ' by the server''s clock: it will hold up every lock') AS detail
FROM information_schema.innodb_trx AS t
WHERE t.trx_mysql_thread_id <> CONNECTION_ID() AND t.trx_started < NOW() - INTERVAL 1 MINUTE
UNION ALL
SELECT 'replica', CONCAT('connection ', p.id), 'reads the binary log, which keeps the values until it is purged'
FROM information_schema.processlist AS p WHERE p.command LIKE 'Binlog Dump%%'
UNION ALL
SELECT 'setting', 'innodb_flush_log_at_trx_commit', CONCAT(@@innodb_flush_log_at_trx_commit, ', not 1: a crash may lose what was committed right before it')
WHERE @@innodb_flush_log_at_trx_commit <> 1;
