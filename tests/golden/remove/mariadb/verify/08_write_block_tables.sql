-- 08_write_block_tables (verify), plan 41e796b6af5edfc9, database shop (MariaDB)
-- Raises with error 31004 or 31007 when the step's effect is not what the database holds. Reads only.
DELIMITER $migrator$
SET NAMES utf8mb4
$migrator$
SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', lock_wait_timeout = 2,
    innodb_lock_wait_timeout = 2, group_concat_max_len = 1073741824
$migrator$

-- always: verify
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".verified("shop_migrator_guard".is_applied('09_purge_tables') OR (SELECT COUNT(*) FROM information_schema.triggers WHERE event_object_schema = 'shop_migrator_quarantine' AND event_object_table = 'logins' AND trigger_name IN ('migrator_insert_logins', 'migrator_update_logins', 'migrator_delete_logins')) = 3, 'writes to shop.logins are blocked');
    CALL "shop_migrator_guard".verified("shop_migrator_guard".is_applied('09_purge_tables') OR (SELECT COUNT(*) FROM information_schema.triggers WHERE event_object_schema = 'shop_migrator_quarantine' AND event_object_table = 'a "visit' AND trigger_name IN ('migrator_insert_a "visit', 'migrator_update_a "visit', 'migrator_delete_a "visit')) = 3, 'writes to shop.a "visit are blocked');
END
$migrator$
