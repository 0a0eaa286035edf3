-- 05_quarantine_tables (verify), plan 41e796b6af5edfc9, database shop (MariaDB)
-- Raises with error 31004 or 31007 when the step's effect is not what the database holds. Reads only.
DELIMITER $migrator$
SET NAMES utf8mb4
$migrator$
SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', lock_wait_timeout = 2,
    innodb_lock_wait_timeout = 2, group_concat_max_len = 1073741824
$migrator$

-- always: verify
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".verified("shop_migrator_guard".is_applied('09_purge_tables') OR "shop_migrator_guard".is_there('shop_migrator_quarantine', 'logins'), 'shop.logins is in quarantine');
    CALL "shop_migrator_guard".verified("shop_migrator_guard".id_of('shop', 'logins') IS NULL, 'shop.logins is gone from its place');
    CALL "shop_migrator_guard".verified("shop_migrator_guard".is_applied('09_purge_tables') OR "shop_migrator_guard".is_there('shop_migrator_quarantine', 'a "visit'), 'shop.a "visit is in quarantine');
    CALL "shop_migrator_guard".verified("shop_migrator_guard".id_of('shop', 'a "visit') IS NULL, 'shop.a "visit is gone from its place');
END
$migrator$
