-- 16_purge_columns

\set ON_ERROR_STOP on
SELECT to_regclass('migrator_guard.step') IS NOT NULL AS guarded \gset
\if :guarded
SELECT coalesce((SELECT state = 'applied' FROM migrator_guard.step WHERE step = '16_purge_columns'), false) AS settled \gset
\else
\set settled false
\endif
\if :settled
\echo 16_purge_columns: nothing to do
\else
\if :guarded
SELECT migrator_guard.lease_by_hand('psql');
\endif

SELECT EXISTS (SELECT FROM migrator_guard.unit WHERE (step, direction, unit) = ('16_purge_columns', 'deploy', 'deploy')) AS done \gset
\if :done
\else
BEGIN;
SELECT 1;
COMMIT;
\endif

SELECT to_regclass('migrator_guard.step') IS NOT NULL AS guarded \gset
\if :guarded
SELECT migrator_guard.lease_back();
\endif
\endif
