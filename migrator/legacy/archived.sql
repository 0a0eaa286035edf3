-- name: text_form
-- What the text form of values depends on; RLS may never thin out a copy, and a copy takes as long as it takes.
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';

-- name: snapshot
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: facts
SELECT current_database() AS database, current_setting('server_version_num')::int AS server_version,
       current_setting('server_encoding') AS encoding, transaction_timestamp() AS snapshot_at;

-- name: oid
SELECT to_regclass({table})::oid::bigint AS oid;

-- name: digest
-- As the emitted SQL computes it: count, and SHA-256 over 256 parts, each over the sorted SHA-256 of its rows. One part holds
-- 33 million at most: no value of PostgreSQL is longer than 1 GB.
SELECT coalesce(sum(p.rows), 0)::bigint AS rows, encode(sha256(coalesce(string_agg(p.h, ''::bytea ORDER BY p.part), ''::bytea)), 'hex') AS sha256
FROM (SELECT get_byte(r.h, 0) AS part, count(*) AS rows, sha256(string_agg(r.h, ''::bytea ORDER BY r.h)) AS h
      FROM (SELECT sha256(convert_to({fields}, 'UTF8')) AS h FROM ONLY {table} AS t) AS r GROUP BY 1) AS p;

-- name: copy_out
COPY (SELECT {columns} FROM ONLY {table} AS t {order}) TO STDOUT (FORMAT text, ENCODING {encoding});

-- name: copy_range
COPY (SELECT {columns} FROM ONLY {table} AS t WHERE ROW({key}) >= ROW({first}) AND ROW({key}) <= ROW({last}) {order})
TO STDOUT (FORMAT text, ENCODING {encoding});

-- name: copy_in
COPY {table} ({columns}) FROM STDIN (FORMAT text, ENCODING {encoding});

-- name: sequence_value
SELECT last_value, is_called FROM {sequence};

-- name: set_sequence
SELECT setval(%(sequence)s::regclass, %(last_value)s, %(is_called)s);

-- name: row_hashes
CREATE TABLE {hashes} AS
SELECT {key}, sha256(convert_to({fields}, 'UTF8')) AS sha256 FROM ONLY {table} AS t;

-- name: scratch_schema
CREATE SCHEMA {schema};

-- name: scratch_table
-- Unlogged: nothing of it reaches WAL, replicas or backups.
CREATE UNLOGGED TABLE {table} ({definitions});

-- name: copy_table
CREATE TABLE {table} ({definitions});

-- name: number_rows
ALTER TABLE {table} ADD COLUMN {row_number} bigint GENERATED ALWAYS AS IDENTITY UNIQUE, ADD PRIMARY KEY ({key});

-- name: analyze
ANALYZE {table};

-- name: missing_types
SELECT t.name FROM unnest(%(names)s::text[]) AS t (name) WHERE to_regtype(t.name) IS NULL;

-- name: existing
SELECT t.name FROM unnest(%(names)s::text[]) AS t (name) WHERE to_regclass(t.name) IS NOT NULL;

-- name: bare_type
-- A type's own name, which cuts nothing off: with a length `character varying(3)` would make abcd another key.
SELECT format('%%I.%%I', n.nspname, y.typname) AS name
FROM pg_type AS y JOIN pg_namespace AS n ON n.oid = y.typnamespace WHERE y.oid = to_regtype(%(kind)s);

-- name: as_written
-- Values as COPY writes them, and whether the column holds them whole.
SELECT format('%%s', v.text::{kind}) AS text, v.text::{bare} = v.text::{kind} AS fits
FROM unnest(%(values)s::text[]) WITH ORDINALITY AS v (text, place) ORDER BY v.place;

-- name: keys_of
-- Primary keys of the rows with such a value, as text.
SELECT ARRAY[{key_texts}] AS key FROM ONLY {table} AS t WHERE format('%%s', t.{column}) = ANY(%(values)s);

-- name: ties
-- Foreign keys that point to a table; partitions have theirs from the whole.
SELECT n.nspname::text AS schema, c.relname::text AS name, k.conname::text AS constraint,
       CASE WHEN %(stays)s THEN 'ON UPDATE ' ELSE 'ON DELETE ' END
         || CASE CASE WHEN %(stays)s THEN k.confupdtype ELSE k.confdeltype END
              WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS action,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS key(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.number ORDER BY key.place) AS targets
FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = to_regclass(%(table)s) ORDER BY 1, 2, 3;

-- name: tied_rows
-- Rows that point to the chosen ones and are none of these.
WITH chosen AS MATERIALIZED (SELECT t.*, t.tableoid AS migrator_table, t.ctid AS migrator_row FROM ONLY {table} AS t WHERE {chosen})
SELECT count(*) AS rows FROM {other} AS k WHERE EXISTS (SELECT FROM chosen AS t WHERE {points})
  AND NOT EXISTS (SELECT FROM chosen AS t WHERE (t.migrator_table, t.migrator_row) = (k.tableoid, k.ctid));

-- name: within
-- Whether one of these keys lies between both ends of a chunk, in the order of the table's own collations.
SELECT EXISTS (SELECT FROM (SELECT {names} FROM ONLY {table} WHERE false UNION ALL VALUES {keys}) AS k
               WHERE ROW({names}) >= ROW({first}) AND ROW({names}) <= ROW({last})) AS found;

-- name: delete_rows
DELETE FROM ONLY {table} AS t WHERE format('%%s', t.{column}) = ANY(%(values)s);

-- name: delete_keys
DELETE FROM ONLY {table} AS t USING (VALUES {keys}) AS k ({names}) WHERE {same_key};

-- name: blank_keys
UPDATE ONLY {table} AS t SET {blanks} FROM (VALUES {keys}) AS k ({names}) WHERE {same_key};

-- name: changed_rows
-- Of the archived rows that are still there, those that are not as they were.
SELECT count(*) AS rows FROM {hashes} AS h JOIN ONLY {table} AS t ON {same_key}
WHERE h.sha256 <> sha256(convert_to({fields}, 'UTF8'));

-- name: copy_archived
-- The archived rows of a chunk that are still there.
COPY (SELECT {columns} FROM {hashes} AS h JOIN ONLY {table} AS t ON {same_key}
      WHERE ROW({key}) >= ROW({first}) AND ROW({key}) <= ROW({last}) {order}) TO STDOUT (FORMAT text, ENCODING {encoding});

-- name: forget_gone
-- Of a chunk's rows, those that went with their user meanwhile.
DELETE FROM {hashes} AS h WHERE ROW({key}) >= ROW({first}) AND ROW({key}) <= ROW({last})
  AND NOT EXISTS (SELECT FROM ONLY {table} AS t WHERE {same_key});

-- name: digest_of_hashes
SELECT coalesce(sum(p.rows), 0)::bigint AS rows, encode(sha256(coalesce(string_agg(p.h, ''::bytea ORDER BY p.part), ''::bytea)), 'hex') AS sha256
FROM (SELECT get_byte(r.sha256, 0) AS part, count(*) AS rows, sha256(string_agg(r.sha256, ''::bytea ORDER BY r.sha256)) AS h
      FROM {hashes} AS r GROUP BY 1) AS p;
