-- 04_scream_window (verify), plan 0c51166e68fb7b43, database shop
-- Raises with SQLSTATE MG004 or MG007 when the step's effect is not what the database holds. Reads only, ACCESS SHARE.

-- always: verify
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL lock_timeout = '200ms';
SET LOCAL statement_timeout = 0;
SET LOCAL row_security = off;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT migrator_guard.verified(EXISTS (SELECT FROM migrator_guard.scream WHERE of_columns OR unproven <> '' OR (control_counted AND refusals = 0)),
    'nobody was refused during the scream window, or it is unproven');
COMMIT;
