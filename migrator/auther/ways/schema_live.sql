-- name: table_count
SELECT count(*) FROM sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@' AND name NOT LIKE 'libsql@_%' ESCAPE '@'

-- name: columns
SELECT name, "notnull" AND dflt_value IS NULL FROM pragma_table_info(?)
