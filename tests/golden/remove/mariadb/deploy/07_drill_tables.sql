-- 07_drill_tables (deploy), plan 41e796b6af5edfc9, database shop (MariaDB)
--
-- What:    Restores the files into a scratch database, compares them with the recorded count and checksum, drops that
--          database.
-- Lock:    None on the tables.
-- Blocks:  Nobody.
-- Waits:   at most 2 s for a lock (MariaDB counts whole seconds); `migrator` tries up to 5 times with growing random
--          pauses and then stops, holding nothing.
-- Undo:    At any time; nothing is lost, SHOW CREATE TABLE and all rows are the same. Command: migrator remove revert
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

-- unit: drill
BEGIN NOT ATOMIC
    DECLARE found_rows BIGINT;
    DECLARE found_sha256 CHAR(64);
    DECLARE found_cut BIGINT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    START TRANSACTION WITH CONSISTENT SNAPSHOT;
    CALL "shop_migrator_guard".enter('07_drill_tables', 'drill', 'deploy', '41e796b6af5edfc9');
    CALL "shop_migrator_guard".verified(EXISTS (SELECT 1 FROM "shop_migrator_guard".archive WHERE name = 'logins' AND drilled_at IS NOT NULL), 'the archive of shop.logins was restored and compared');
    CALL "shop_migrator_guard".verified(EXISTS (SELECT 1 FROM "shop_migrator_guard".archive WHERE name = 'a "visit' AND drilled_at IS NOT NULL), 'the archive of shop.a "visit was restored and compared');
    CALL "shop_migrator_guard".leave('07_drill_tables', 'drill', 'deploy', TRUE);
    COMMIT;
END
$migrator$
