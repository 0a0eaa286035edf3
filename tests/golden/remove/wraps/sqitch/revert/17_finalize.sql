-- 17_finalize

\set ON_ERROR_STOP on
SELECT to_regclass('migrator_guard.step') IS NOT NULL AS guarded \gset
\if :guarded
SELECT coalesce((SELECT state = 'pending' FROM migrator_guard.step WHERE step = '17_finalize'), false) AS settled \gset
\else
SELECT to_regclass('"public"."#{exit}"') IS NOT NULL AS settled \gset
\endif
\if :settled
\echo 17_finalize: nothing to do
\else
\if :guarded
SELECT migrator_guard.lease_by_hand('sqitch');
\else
DO $migrator$ BEGIN RAISE EXCEPTION 'the removal is finished: only migrator knows the way back' USING HINT = 'migrator remove revert --to 16_purge_columns, then the same again'; END $migrator$;
\endif

SELECT EXISTS (SELECT FROM migrator_guard.unit WHERE (step, direction, unit) = ('17_finalize', 'revert', 'revert')) AS done \gset
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
