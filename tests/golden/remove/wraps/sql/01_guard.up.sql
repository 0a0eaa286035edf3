-- 01_guard

\set ON_ERROR_STOP on
SELECT to_regclass('migrator_guard.step') IS NOT NULL AS guarded \gset
\if :guarded
SELECT coalesce((SELECT state = 'applied' FROM migrator_guard.step WHERE step = '01_guard'), false) AS settled \gset
\else
\set settled false
\endif
\if :settled
\echo 01_guard: nothing to do
\else
\if :guarded
SELECT migrator_guard.lease_by_hand('psql');
\endif

BEGIN;
SELECT 1;
COMMIT;

SELECT to_regclass('migrator_guard.step') IS NOT NULL AS guarded \gset
\if :guarded
SELECT migrator_guard.lease_back();
\endif
\endif
