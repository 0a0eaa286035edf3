-- 05_quarantine_tables (revert), plan 41e796b6af5edfc9, database shop (MariaDB)
--
-- What:    Takes this step back: Moves the tables into the quarantine database by one RENAME TABLE. Foreign keys
--          follow; whoever still uses an old name gets error 1146, which MariaDB writes to no log of its own.
-- Lock:    As in the deploy file, and metadata locks on tables that a foreign key ties to what comes back.
-- Blocks:  Queries on these tables while the lock is waited for and held.
-- Waits:   at most 2 s for a lock (MariaDB counts whole seconds); `migrator` tries up to 5 times with growing random
--          pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 05_quarantine_tables
--
-- MariaDB knows no transaction around a change of the catalog. So each part looks at what is there before it does
--          something, and is written down afterwards: interrupted anywhere, the same file does what is left.
-- Made by `migrator remove plan`, run by `migrator remove`. Run by hand it refuses without a lease and, to deploy, without
-- fresh gate evidence in shop_migrator_guard.evidence. Do not edit: plan.json holds this file's hash.
DELIMITER $migrator$
SET NAMES utf8mb4
$migrator$
SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', lock_wait_timeout = 2,
    innodb_lock_wait_timeout = 2, group_concat_max_len = 1073741824
$migrator$

-- unit: move
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".enter('05_quarantine_tables', 'move', 'revert', '41e796b6af5edfc9');
    CALL "shop_migrator_guard".move_tables('shop_migrator_quarantine', 'shop');
    CALL "shop_migrator_guard".leave('05_quarantine_tables', 'move', 'revert', TRUE);
END
$migrator$
