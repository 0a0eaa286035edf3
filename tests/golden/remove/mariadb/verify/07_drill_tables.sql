-- 07_drill_tables (verify), plan 41e796b6af5edfc9, database shop (MariaDB)
-- Raises with error 31004 or 31007 when the step's effect is not what the database holds. Reads only.
DELIMITER $migrator$
SET NAMES utf8mb4
$migrator$
SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', lock_wait_timeout = 2,
    innodb_lock_wait_timeout = 2, group_concat_max_len = 1073741824
$migrator$

-- always: verify
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".verified(EXISTS (SELECT 1 FROM "shop_migrator_guard".archive WHERE name = 'logins' AND drilled_at IS NOT NULL), 'the archive of shop.logins was restored and compared');
    CALL "shop_migrator_guard".verified(EXISTS (SELECT 1 FROM "shop_migrator_guard".archive WHERE name = 'a "visit' AND drilled_at IS NOT NULL), 'the archive of shop.a "visit was restored and compared');
END
$migrator$
