-- 17_finalize (deploy), plan 41e796b6af5edfc9, database shop (MariaDB)
--
-- What:    Removes what the removal itself made: the databases guard, quarantine and archive. What they knew is in
--          migrator's state and ledger.
-- Lock:    None on the application's objects.
-- Blocks:  Nobody.
-- Waits:   at most 2 s for a lock (MariaDB counts whole seconds); `migrator` tries up to 5 times with growing random
--          pauses and then stops, holding nothing.
-- Undo:    As long as the archive's files and their private key are kept; see `exceptions` in plan.json. Command:
--          migrator remove revert
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

-- unit: finalize
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".enter('17_finalize', 'finalize', 'deploy', '41e796b6af5edfc9');
    -- The step log and the checksums of the archives are in the state and the ledger; the revert file brings the guard back.
    CALL "shop_migrator_guard".nothing_left();
    DROP DATABASE IF EXISTS "shop_migrator_quarantine";
    DROP DATABASE IF EXISTS "shop_migrator_archive";
    -- A database goes table by table. Without this one there is no plan here, whatever a crash leaves of the others.
    DROP TABLE "shop_migrator_guard".plan;
    DROP DATABASE "shop_migrator_guard";
END
$migrator$

