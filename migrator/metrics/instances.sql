-- name: heartbeats
SELECT instance, build, stage, epoch, legacy_capable, clock_timestamp() - seen_at AS age, baked,
       source, seen_at
FROM migrator_instance
ORDER BY instance

-- name: now
SELECT clock_timestamp()

-- name: may_read_processes
SELECT coalesce(has_table_privilege(to_regclass('migrator_process'), 'SELECT'), false)

-- name: processes
-- Two that look like one have no end that could be believed.
SELECT instance, started_at AS started_at_s, min(began_at) AS began_at, max(seen_at) AS seen_at,
       max(heard_at) AS heard_at,
       CASE WHEN count(*) = 1 THEN min(ended_at) END AS ended_at,
       CASE WHEN count(*) = 1 THEN min(counts) END AS counts
FROM migrator_process
GROUP BY instance, started_at
ORDER BY instance, started_at
