-- name: server
SELECT current_database() AS database, current_setting('server_version_num')::int AS server_version;

-- name: relations
-- One row per wanted (schema, name) that exists, whatever kind of relation it is.
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted(schema, name)
JOIN pg_namespace n ON n.nspname = wanted.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
ORDER BY n.nspname, c.relname;

-- name: tables
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name,
       pg_get_userbyid(c.relowner)::text AS owner, c.relpersistence::text AS persistence,
       coalesce(c.reloptions, '{}') AS options, coalesce(t.reloptions, '{}') AS toast_options,
       c.relrowsecurity AS row_security, c.relforcerowsecurity AS force_row_security,
       c.relreplident::text AS replica_identity,
       coalesce((SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                 WHERE x.indrelid = c.oid AND x.indisreplident), '') AS replica_index,
       coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE c.oid = ANY(%(oids)s)
ORDER BY n.nspname, c.relname;

-- name: columns
SELECT a.attrelid::bigint AS table_oid, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN a.attcollation IN (0, t.typcollation) THEN ''
            ELSE format('%%I.%%I', cn.nspname, co.collname) END AS collation,
       coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS default,
       a.attnotnull AS not_null,
       coalesce((SELECT k.conname::text FROM pg_constraint k
                 WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]), '') AS not_null_name,
       a.attidentity::text AS identity, a.attgenerated::text AS generated,
       CASE WHEN a.attstorage = t.typstorage THEN ''
            ELSE CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                                   WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END AS storage,
       CASE a.attcompression::text WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE '' END AS compression,
       nullif(a.attstattarget, -1)::int AS statistics,
       coalesce(a.attoptions, '{}') AS options,
       coalesce(col_description(a.attrelid, a.attnum), '') AS comment
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE a.attrelid = ANY(%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum;

-- name: grants
-- In the order of the list, which pg_dump follows. Privileges of tables (empty column), of columns and of owned sequences (by their own OID).
SELECT object.oid::bigint AS object_oid, object.column_name,
       CASE WHEN acl.grantee = 0 THEN '' ELSE pg_get_userbyid(acl.grantee)::text END AS grantee,
       acl.privilege_type::text AS privilege, acl.is_grantable AS grantable
FROM (SELECT c.oid, '' AS column_name,
             coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner)) AS acl
      FROM pg_class c WHERE c.oid = ANY(%(oids)s)
      UNION ALL
      SELECT a.attrelid, a.attname::text, a.attacl FROM pg_attribute a
      WHERE a.attrelid = ANY(%(oids)s) AND NOT a.attisdropped) AS object,
     LATERAL aclexplode(object.acl) WITH ORDINALITY AS acl (grantor, grantee, privilege_type, is_grantable, place)
ORDER BY 1, 2, acl.place;

-- name: sequences
SELECT d.refobjid::bigint AS table_oid, c.oid::bigint AS oid, c.relname::text AS name, a.attname::text AS column,
       CASE d.deptype WHEN 'i' THEN 'identity' ELSE 'serial' END AS kind,
       format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqincrement AS increment,
       s.seqmin AS minimum, s.seqmax AS maximum, s.seqcache AS cache, s.seqcycle AS cycle,
       coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_depend d
JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
JOIN pg_sequence s ON s.seqrelid = c.oid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = ANY(%(oids)s) AND d.deptype IN ('a', 'i')
ORDER BY d.refobjid, c.relname;

-- name: constraints
SELECT k.conrelid::bigint AS table_oid, k.conname::text AS name, k.contype::text AS kind,
       pg_get_constraintdef(k.oid) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place) AS columns,
       k.convalidated AS validated, coalesce(obj_description(k.oid, 'pg_constraint'), '') AS comment,
       CASE WHEN k.confrelid = 0 THEN '{}' ELSE ARRAY[fn.nspname::text, f.relname::text] END AS target,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS key(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.number ORDER BY key.place) AS target_columns
FROM pg_constraint k
LEFT JOIN pg_class f ON f.oid = k.confrelid
LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE k.conrelid = ANY(%(oids)s) AND k.contype IN ('p', 'u', 'x', 'c', 'f')
ORDER BY k.conrelid, position(k.contype::text IN 'puxcf'), k.conname;

-- name: inbound_keys
SELECT k.confrelid::bigint AS table_oid, n.nspname::text AS schema, c.relname::text AS table, c.oid::bigint AS oid,
       k.conname::text AS name, pg_get_constraintdef(k.oid) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS key(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.number ORDER BY key.place) AS target_columns,
       k.convalidated AS validated, coalesce(obj_description(k.oid, 'pg_constraint'), '') AS comment
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = ANY(%(oids)s) AND k.conrelid <> k.confrelid AND k.conparentid = 0
ORDER BY k.confrelid, n.nspname, c.relname, k.conname;

-- name: indexes
SELECT x.indrelid::bigint AS table_oid, c.relname::text AS name,
       pg_get_indexdef(x.indexrelid) AS definition,
       EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
         AS constrained,
       ARRAY(SELECT DISTINCT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = x.indrelid AND a.attnum > 0 AND (a.attnum = ANY(x.indkey::int2[])
                OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.indexrelid
                           AND d.refclassid = 'pg_class'::regclass AND d.refobjid = x.indrelid AND d.refobjsubid = a.attnum))
             ORDER BY 1) AS columns,
       x.indisclustered AS clustered, coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_index x
JOIN pg_class c ON c.oid = x.indexrelid
WHERE x.indrelid = ANY(%(oids)s)
ORDER BY x.indrelid, c.relname;

-- name: triggers
SELECT t.tgrelid::bigint AS table_oid, t.tgname::text AS name, pg_get_triggerdef(t.oid) AS definition,
       t.tgenabled::text AS enabled, coalesce(obj_description(t.oid, 'pg_trigger'), '') AS comment
FROM pg_trigger t
WHERE t.tgrelid = ANY(%(oids)s) AND NOT t.tgisinternal
ORDER BY t.tgrelid, t.tgname;

-- name: policies
SELECT p.polrelid::bigint AS table_oid, p.polname::text AS name, p.polpermissive AS permissive,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                     WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
       ARRAY(SELECT CASE WHEN r.oid = 0 THEN '' ELSE pg_get_userbyid(r.oid)::text END
             FROM unnest(p.polroles) AS r(oid) ORDER BY 1) AS roles,
       coalesce(pg_get_expr(p.polqual, p.polrelid), '') AS using,
       coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') AS check,
       coalesce(obj_description(p.oid, 'pg_policy'), '') AS comment
FROM pg_policy p
WHERE p.polrelid = ANY(%(oids)s)
ORDER BY p.polrelid, p.polname;

-- name: publications
SELECT m.prrelid::bigint AS table_oid, p.pubname::text AS name,
       ARRAY(SELECT a.attname::text FROM unnest(m.prattrs::int2[]) AS key(number)
             JOIN pg_attribute a ON a.attrelid = m.prrelid AND a.attnum = key.number ORDER BY a.attnum) AS columns,
       coalesce(pg_get_expr(m.prqual, m.prrelid), '') AS filter
FROM pg_publication_rel m
JOIN pg_publication p ON p.oid = m.prpubid
WHERE m.prrelid = ANY(%(oids)s)
ORDER BY m.prrelid, p.pubname;

-- name: types
-- Enums, domains, composite and range types of the application's own, each after those that it is made of. A range type
-- with a function of the application's own is left to a person: that function may need the type itself.
WITH RECURSIVE used(table_oid, column_name, oid, depth) AS (
  SELECT a.attrelid, a.attname, a.atttypid, 0 FROM pg_attribute a
  WHERE a.attrelid = ANY(%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT u.table_oid, u.column_name, part.oid, u.depth + 1
  FROM used u JOIN pg_type t ON t.oid = u.oid, LATERAL (
    SELECT t.typelem WHERE t.typcategory = 'A'
    UNION ALL SELECT t.typbasetype WHERE t.typtype = 'd'
    UNION ALL SELECT a.atttypid FROM pg_attribute a
      WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
    UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = t.oid
  ) AS part(oid)
)
SELECT u.table_oid::bigint AS table_oid, format_type(t.oid, NULL) AS name,
       format('CREATE SCHEMA IF NOT EXISTS %%I;%%s', n.nspname, E'\n') || CASE t.typtype
         WHEN 'e' THEN format('CREATE TYPE %%s AS ENUM (%%s);', format_type(t.oid, NULL),
           (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
         WHEN 'c' THEN format('CREATE TYPE %%s AS (%%s);', format_type(t.oid, NULL),
           (SELECT string_agg(format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod))
                              || CASE WHEN a.attcollation IN (0, at.typcollation) THEN '' ELSE ' COLLATE ' || a.attcollation::regcollation END,
                              ', ' ORDER BY a.attnum)
            FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
         WHEN 'r' THEN (
           SELECT format('CREATE TYPE %%s AS RANGE (SUBTYPE = %%s, SUBTYPE_OPCLASS = %%I.%%I%%s%%s, MULTIRANGE_TYPE_NAME = %%s);',
             format_type(t.oid, NULL), format_type(g.rngsubtype, NULL), op.nspname, o.opcname,
             ', COLLATION = ' || nullif(g.rngcollation, 0)::regcollation, ', SUBTYPE_DIFF = ' || nullif(g.rngsubdiff, 0)::regproc,
             format_type(g.rngmultitypid, NULL))
           FROM pg_opclass o JOIN pg_namespace op ON op.oid = o.opcnamespace WHERE o.oid = g.rngsubopc)
         ELSE format('CREATE DOMAIN %%s AS %%s', format_type(t.oid, NULL), format_type(t.typbasetype, t.typtypmod))
           || CASE WHEN t.typcollation IN (0, b.typcollation) THEN '' ELSE ' COLLATE ' || t.typcollation::regcollation END
           || coalesce(' DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), '') || CASE WHEN t.typnotnull THEN ' NOT NULL;' ELSE ';' END
           || coalesce((SELECT string_agg(format('%%sALTER DOMAIN %%s ADD CONSTRAINT %%I %%s;', E'\n', format_type(t.oid, NULL), k.conname,
                                                 pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
                        FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '')
       END AS definition,
       array_agg(DISTINCT u.column_name::text) AS columns
FROM used u
JOIN pg_type t ON t.oid = u.oid AND t.typtype IN ('e', 'd', 'c', 'r')
JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_class r ON r.oid = t.typrelid
LEFT JOIN pg_range g ON g.rngtypid = t.oid
LEFT JOIN pg_proc f ON f.oid = g.rngsubdiff
WHERE coalesce(r.relkind, 'c') = 'c' AND coalesce(g.rngcanonical, 0) = 0
  AND coalesce(f.pronamespace, 'pg_catalog'::regnamespace) = 'pg_catalog'::regnamespace AND NOT EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
GROUP BY u.table_oid, t.oid, n.nspname, b.typcollation, g.rngtypid
ORDER BY u.table_oid, max(u.depth) DESC, 2;

-- name: published
SELECT c.oid::bigint AS table_oid, t.pubname::text AS publication
FROM pg_publication_tables t
JOIN pg_namespace n ON n.nspname = t.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
WHERE c.oid = ANY(%(oids)s)
ORDER BY c.oid, t.pubname;

-- name: table_blockers
-- What a table has that its way back would lose.
SELECT c.oid::bigint AS table_oid, '' AS column_name, found.reason
FROM pg_class c, LATERAL (
  SELECT 'it is ' || CASE c.relkind WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'a foreign table' WHEN 'v' THEN 'a view'
         WHEN 'm' THEN 'a materialized view' ELSE 'no ordinary table' END WHERE c.relkind <> 'r'
  UNION ALL SELECT 'it is a partition' WHERE c.relispartition
  UNION ALL SELECT 'it takes part in table inheritance'
    WHERE EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)) AND NOT c.relispartition
          AND c.relkind = 'r'
  UNION ALL SELECT 'it is a table of a composite type' WHERE c.reloftype <> 0
  UNION ALL SELECT 'it is temporary' WHERE c.relpersistence = 't'
  UNION ALL SELECT 'it is in a tablespace of its own' WHERE c.reltablespace <> 0
  UNION ALL SELECT 'its access method is not heap'
    WHERE c.relkind = 'r' AND c.relam <> (SELECT a.oid FROM pg_am a WHERE a.amname = 'heap')
  UNION ALL SELECT format('index %%s is in a tablespace of its own', i.relname)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND i.reltablespace <> 0
  UNION ALL SELECT format('index %%s is invalid', i.relname)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    WHERE x.indrelid = c.oid AND NOT (x.indisvalid AND x.indisready)
  UNION ALL SELECT format('index %%s has a statistics target of its own', i.relname)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_attribute a ON a.attrelid = i.oid
    WHERE x.indrelid = c.oid AND a.attstattarget >= 0
  UNION ALL SELECT format('rule %%s', r.rulename) FROM pg_rewrite r WHERE r.ev_class = c.oid AND c.relkind = 'r'
  UNION ALL SELECT format('extended statistics %%s', s.stxname) FROM pg_statistic_ext s WHERE s.stxrelid = c.oid
  UNION ALL SELECT format('foreign key %%s of the partitioned table %%s points to it', k.conname, k.conrelid::regclass)
    FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid AND r.relkind = 'p'
    WHERE k.confrelid = c.oid AND k.contype = 'f'
  UNION ALL SELECT 'it has a security label'
    WHERE EXISTS (SELECT FROM pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objoid = c.oid)
  UNION ALL SELECT format('privilege %%s was granted by %%s, who is not the owner', e.privilege_type,
                          pg_get_userbyid(e.grantor))
    FROM (SELECT c.relacl AS acl
          UNION ALL SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
          UNION ALL SELECT s.relacl FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
              AND d.deptype IN ('a', 'i')) AS lists, aclexplode(lists.acl) e
    WHERE e.grantor <> c.relowner
  UNION ALL SELECT format('constraint %%s on NOT NULL of %%s is of a kind that cannot be carried back', k.conname,
                          a.attname)
    FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE k.conrelid = c.oid AND k.contype = 'n' AND NOT k.convalidated
  UNION ALL SELECT format('it belongs to extension %%s', x.extname)
    FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      AND d.refclassid = 'pg_extension'::regclass
) AS found(reason)
WHERE c.oid = ANY(%(oids)s)
ORDER BY 1, 3;

-- name: table_dependents
-- Objects outside the table that DROP TABLE … RESTRICT would stumble over; foreign keys are carried, not listed.
WITH members(table_oid, classid, objid) AS (
  SELECT c.oid, 'pg_class'::regclass::oid, c.oid FROM pg_class c WHERE c.oid = ANY(%(oids)s)
  UNION SELECT x.indrelid, 'pg_class'::regclass, x.indexrelid FROM pg_index x WHERE x.indrelid = ANY(%(oids)s)
  UNION SELECT d.refobjid, 'pg_class'::regclass, d.objid FROM pg_depend d JOIN pg_class s ON s.oid = d.objid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%(oids)s)
      AND d.deptype IN ('a', 'i') AND s.relkind = 'S'
  UNION SELECT t.typrelid, 'pg_type'::regclass, t.oid FROM pg_type t WHERE t.typrelid = ANY(%(oids)s)
  UNION SELECT t.typrelid, 'pg_type'::regclass, t.typarray FROM pg_type t WHERE t.typrelid = ANY(%(oids)s)
  UNION SELECT k.conrelid, 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.conrelid = ANY(%(oids)s)
  UNION SELECT d.adrelid, 'pg_attrdef'::regclass, d.oid FROM pg_attrdef d WHERE d.adrelid = ANY(%(oids)s)
  UNION SELECT t.tgrelid, 'pg_trigger'::regclass, t.oid FROM pg_trigger t WHERE t.tgrelid = ANY(%(oids)s)
  UNION SELECT p.polrelid, 'pg_policy'::regclass, p.oid FROM pg_policy p WHERE p.polrelid = ANY(%(oids)s)
  UNION SELECT m.prrelid, 'pg_publication_rel'::regclass, m.oid FROM pg_publication_rel m
    WHERE m.prrelid = ANY(%(oids)s)
)
SELECT DISTINCT m.table_oid::bigint AS table_oid, '' AS column_name,
       coalesce(
         (SELECT CASE v.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'rule on ' END
                 || v.oid::regclass::text FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
          WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid),
         pg_describe_object(d.classid, d.objid, d.objsubid)) || ' depends on it' AS reason
FROM pg_depend d
JOIN members m ON m.classid = d.refclassid AND m.objid = d.refobjid
WHERE d.deptype IN ('n', 'a')
  AND NOT EXISTS (SELECT FROM members own WHERE own.table_oid = m.table_oid AND own.classid = d.classid
                  AND own.objid = d.objid)
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
                  AND k.contype = 'f')
  AND NOT EXISTS (SELECT FROM pg_trigger t WHERE d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
                  AND t.tgisinternal)
  AND d.classid <> 'pg_statistic_ext'::regclass
ORDER BY 1, 3;

-- name: column_blockers
-- What a dropped column would take with it, or stumble over, that cannot be carried back.
WITH wanted AS (
  SELECT a.attrelid, a.attnum, a.attname, a.attidentity, a.attgenerated
  FROM pg_attribute a WHERE a.attrelid = %(oid)s AND a.attname = ANY(%(columns)s)
)
SELECT w.attrelid::bigint AS table_oid, w.attname::text AS column_name, found.reason
FROM wanted w, LATERAL (
  SELECT 'it is an identity column' WHERE w.attidentity <> ''
  UNION ALL SELECT 'it is a generated column' WHERE w.attgenerated <> ''
  UNION ALL SELECT 'it is part of the primary key' WHERE EXISTS
    (SELECT FROM pg_constraint k WHERE k.conrelid = w.attrelid AND k.contype = 'p' AND w.attnum = ANY(k.conkey))
  UNION ALL SELECT format('foreign key %%s of %%s points to it', k.conname, k.conrelid::regclass)
    FROM pg_constraint k WHERE k.confrelid = w.attrelid AND k.contype = 'f' AND w.attnum = ANY(k.confkey)
  UNION ALL SELECT format('it is in the index %%s, the replica identity', x.indexrelid::regclass)
    FROM pg_index x WHERE x.indrelid = w.attrelid AND x.indisreplident AND w.attnum = ANY(x.indkey::int2[])
  UNION ALL SELECT format('the table is clustered by %%s', x.indexrelid::regclass)
    FROM pg_index x WHERE x.indrelid = w.attrelid AND x.indisclustered AND w.attnum = ANY(x.indkey::int2[])
  UNION ALL SELECT format('index %%s is invalid', x.indexrelid::regclass)
    FROM pg_index x WHERE x.indrelid = w.attrelid AND w.attnum = ANY(x.indkey::int2[])
      AND NOT (x.indisvalid AND x.indisready)
  UNION ALL SELECT DISTINCT coalesce(
      (SELECT CASE v.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'rule on ' END
              || v.oid::regclass::text FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
       WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid),
      pg_describe_object(d.classid, d.objid, d.objsubid)) || ' depends on it'
    FROM pg_depend d
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = w.attrelid AND d.refobjsubid = w.attnum
      AND d.deptype IN ('n', 'a', 'i')
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE d.classid = 'pg_constraint'::regclass AND k.oid = d.objid)
      AND NOT EXISTS (SELECT FROM pg_class i WHERE d.classid = 'pg_class'::regclass AND i.oid = d.objid
                      AND i.relkind = 'i')
      AND NOT EXISTS (SELECT FROM pg_attrdef f WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
                      AND f.adrelid = w.attrelid AND f.adnum = w.attnum)
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
                      AND t.tgisinternal)
) AS found(reason)
ORDER BY 2, 3;

-- name: mentions
-- Functions with a string body that names the table: PostgreSQL keeps no record of such a dependency.
SELECT c.oid::bigint AS table_oid, p.oid::regprocedure::text AS function
FROM pg_class c
JOIN pg_proc p ON position(lower(c.relname::text) IN lower(p.prosrc)) > 0
JOIN pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE c.oid = ANY(%(oids)s) AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'migrator_guard')
ORDER BY 1, 2;

-- name: column_mentions
-- The same for columns: functions that name one of them and the table, or that run as its triggers.
SELECT c.oid::bigint AS table_oid, p.oid::regprocedure::text || ' (' || w.name || ')' AS function
FROM pg_class c
CROSS JOIN unnest(%(columns)s::text[]) AS w(name)
JOIN pg_proc p ON position(lower(w.name) IN lower(p.prosrc)) > 0
  AND (position(lower(c.relname::text) IN lower(p.prosrc)) > 0
       OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = p.oid))
JOIN pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE c.oid = %(oid)s AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'migrator_guard')
ORDER BY 1, 2;

-- name: table_names
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = ANY(%(schemas)s)
ORDER BY 1, 2;
