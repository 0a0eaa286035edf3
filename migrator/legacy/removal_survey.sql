-- name: acting
SELECT r.rolname::text AS acting, r.rolsuper AS superuser FROM pg_roles r WHERE r.rolname = current_user;

-- name: acts_as
SELECT r.rolname::text AS name FROM pg_roles r
WHERE r.rolname = ANY(%(names)s) AND pg_has_role(current_user, r.oid, 'MEMBER') ORDER BY 1;

-- name: roles
SELECT w.name, r.oid IS NOT NULL AS exists, coalesce(r.rolsuper, false) AS superuser,
       ARRAY(SELECT o.rolname::text FROM pg_roles o
             WHERE NOT r.rolsuper AND o.oid <> r.oid AND pg_has_role(r.oid, o.oid, 'MEMBER') ORDER BY 1) AS member_of,
       EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c(setting)
               WHERE s.setrole = r.oid AND c.setting ~ '^log_min_(messages|error_statement)=') AS hides_errors
FROM unnest(%(names)s::text[]) AS w(name)
LEFT JOIN pg_roles r ON r.rolname = w.name
ORDER BY 1;

-- name: rights
SELECT r.rolname::text AS role, n.nspname::text AS schema,
       has_schema_privilege(r.oid, n.oid, 'CREATE') AS create, has_schema_privilege(r.oid, n.oid, 'USAGE') AS usage
FROM pg_roles r, pg_namespace n
WHERE r.rolname = ANY(%(names)s) AND n.nspname = ANY(%(schemas)s) ORDER BY 1, 2;

-- name: signed_in
SELECT DISTINCT a.usename::text AS name FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() ORDER BY 1;

-- name: bystanders
-- What else touches the database, and what the removal does to it. No query text, it may carry secrets.
SELECT 'replication slot' AS kind, s.slot_name::text AS name,
       s.slot_type || CASE WHEN s.active THEN '' ELSE ', not active: it keeps WAL and the secrets in it' END AS detail
FROM pg_replication_slots s WHERE s.database IS NULL OR s.database = current_database()
UNION ALL
SELECT 'replica', r.application_name, coalesce(r.client_addr::text, 'by socket') || ', ' || coalesce(r.state, 'unknown')
FROM pg_stat_replication r
UNION ALL
-- A table of a schema's publication leaves it in quarantine.
SELECT 'publication', p.pubname::text, CASE WHEN p.puballtables THEN 'of all tables' ELSE 'of the tables of a schema' END
FROM pg_publication p
WHERE p.puballtables OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = to_regclass('pg_catalog.pg_publication_namespace')
  AND d.refclassid = 'pg_publication'::regclass AND d.refobjid = p.oid)
UNION ALL
SELECT 'long transaction', 'pid ' || a.pid,
       format('%%s (%%s), open for %%s s: it will hold up every lock', coalesce(a.usename::text, a.backend_type),
              coalesce(nullif(a.application_name, ''), 'no application name'),
              extract(epoch FROM clock_timestamp() - a.xact_start)::int)
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.xact_start < clock_timestamp() - interval '1 minute'
UNION ALL
SELECT 'prepared transaction', x.gid, 'of ' || x.owner || ': its locks stay until it is committed or rolled back'
FROM pg_prepared_xacts x WHERE x.database = current_database()
UNION ALL
SELECT 'event trigger', e.evtname::text, 'runs at ' || e.evtevent FROM pg_event_trigger e WHERE e.evtenabled <> 'D'
ORDER BY 1, 2;
