-- name: heartbeats
SELECT instance, build, stage, epoch, legacy_capable, clock_timestamp() - seen_at AS age, baked,
       source
FROM migrator_instance
ORDER BY instance
