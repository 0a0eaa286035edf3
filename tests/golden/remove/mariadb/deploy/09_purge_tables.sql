-- 09_purge_tables (deploy), plan 41e796b6af5edfc9, database shop (MariaDB)
--
-- What:    Compares the tables with their archive, then drops them in one statement.
-- Lock:    An exclusive metadata lock on the tables, until their files are gone: by their size.
-- Blocks:  Nobody: nothing else may use them.
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

-- unit: compare
BEGIN NOT ATOMIC
    DECLARE found_rows BIGINT;
    DECLARE found_sha256 CHAR(64);
    DECLARE found_cut BIGINT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    START TRANSACTION WITH CONSISTENT SNAPSHOT;
    CALL "shop_migrator_guard".enter('09_purge_tables', 'compare', 'deploy', '41e796b6af5edfc9');
    CALL "shop_migrator_guard".verified((SELECT COUNT(*) FROM information_schema.triggers WHERE event_object_schema = 'shop_migrator_quarantine' AND event_object_table = 'logins' AND trigger_name IN ('migrator_insert_logins', 'migrator_update_logins', 'migrator_delete_logins')) = 3, 'writes to shop.logins are blocked');
    CALL "shop_migrator_guard".verified((SELECT next_not_cached_value FROM "shop_migrator_guard"."rejected_logins") = 1, 'nothing writes to shop.logins any more');
    CALL "shop_migrator_guard".verified(EXISTS (SELECT 1 FROM "shop_migrator_guard".archive WHERE name = 'logins' AND drilled_at IS NOT NULL), 'the archive of shop.logins was restored and compared');
    SELECT x."rows", x.sha256, x.cut INTO found_rows, found_sha256, found_cut FROM (
-- Count, and SHA-256 over up to 256 parts, each over the sorted SHA-256 of its rows; `cut` when the server cut a part off.
SELECT COALESCE(SUM(p.n), 0) AS "rows",
       SHA2(COALESCE(GROUP_CONCAT(UNHEX(p.h) ORDER BY p.part SEPARATOR ''), ''), 256) AS sha256,
       COALESCE(SUM(p.bytes <> 32 * p.n OR p.bytes IS NULL), 0) AS cut
FROM (SELECT LEFT(r.h, 2) AS part, COUNT(*) AS n,
             SHA2(GROUP_CONCAT(UNHEX(r.h) ORDER BY r.h SEPARATOR ''), 256) AS h,
             LENGTH(GROUP_CONCAT(UNHEX(r.h) SEPARATOR '')) AS bytes
      FROM (SELECT SHA2(CONCAT(COALESCE(CONCAT(LENGTH(CONVERT(t."id" USING utf8mb4)), ':', CONVERT(t."id" USING utf8mb4)), 'N'), COALESCE(CONCAT(LENGTH(CONVERT(t."50% 'n\" USING utf8mb4)), ':', CONVERT(t."50% 'n\" USING utf8mb4)), 'N'), COALESCE(CONCAT(LENGTH(CONVERT(t."nearly" + 0e0 USING utf8mb4)), ':', CONVERT(t."nearly" + 0e0 USING utf8mb4)), 'N'), COALESCE(CONCAT(LENGTH(HEX(t."seal")), ':', HEX(t."seal")), 'N')), 256) AS h FROM "shop_migrator_quarantine"."logins" AS t) AS r GROUP BY 1) AS p) AS x;
    CALL "shop_migrator_guard".compare('logins', found_rows, found_sha256, found_cut);
    REPLACE INTO "shop_migrator_guard".counter (name, value)
    SELECT table_name, auto_increment FROM information_schema.tables
    WHERE table_schema = 'shop_migrator_quarantine' AND table_name = 'logins' AND auto_increment IS NOT NULL;
    CALL "shop_migrator_guard".verified((SELECT COUNT(*) FROM information_schema.triggers WHERE event_object_schema = 'shop_migrator_quarantine' AND event_object_table = 'a "visit' AND trigger_name IN ('migrator_insert_a "visit', 'migrator_update_a "visit', 'migrator_delete_a "visit')) = 3, 'writes to shop.a "visit are blocked');
    CALL "shop_migrator_guard".verified((SELECT next_not_cached_value FROM "shop_migrator_guard"."rejected_a ""visit") = 1, 'nothing writes to shop.a "visit any more');
    CALL "shop_migrator_guard".verified(EXISTS (SELECT 1 FROM "shop_migrator_guard".archive WHERE name = 'a "visit' AND drilled_at IS NOT NULL), 'the archive of shop.a "visit was restored and compared');
    SELECT x."rows", x.sha256, x.cut INTO found_rows, found_sha256, found_cut FROM (
-- Count, and SHA-256 over up to 256 parts, each over the sorted SHA-256 of its rows; `cut` when the server cut a part off.
SELECT COALESCE(SUM(p.n), 0) AS "rows",
       SHA2(COALESCE(GROUP_CONCAT(UNHEX(p.h) ORDER BY p.part SEPARATOR ''), ''), 256) AS sha256,
       COALESCE(SUM(p.bytes <> 32 * p.n OR p.bytes IS NULL), 0) AS cut
FROM (SELECT LEFT(r.h, 2) AS part, COUNT(*) AS n,
             SHA2(GROUP_CONCAT(UNHEX(r.h) ORDER BY r.h SEPARATOR ''), 256) AS h,
             LENGTH(GROUP_CONCAT(UNHEX(r.h) SEPARATOR '')) AS bytes
      FROM (SELECT SHA2(CONCAT(COALESCE(CONCAT(LENGTH(CONVERT(t."id" USING utf8mb4)), ':', CONVERT(t."id" USING utf8mb4)), 'N'), COALESCE(CONCAT(LENGTH(HEX(t."seal")), ':', HEX(t."seal")), 'N')), 256) AS h FROM "shop_migrator_quarantine"."a ""visit" AS t) AS r GROUP BY 1) AS p) AS x;
    CALL "shop_migrator_guard".compare('a "visit', found_rows, found_sha256, found_cut);
    REPLACE INTO "shop_migrator_guard".counter (name, value)
    SELECT table_name, auto_increment FROM information_schema.tables
    WHERE table_schema = 'shop_migrator_quarantine' AND table_name = 'a "visit' AND auto_increment IS NOT NULL;
    CALL "shop_migrator_guard".leave('09_purge_tables', 'compare', 'deploy', FALSE);
    COMMIT;
END
$migrator$

-- Compared once more by what takes no time: nothing was written since, by the triggers that are still there.
-- unit: drop
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".enter('09_purge_tables', 'drop', 'deploy', '41e796b6af5edfc9');
    IF "shop_migrator_guard".is_there('shop_migrator_quarantine', 'logins') THEN
    CALL "shop_migrator_guard".verified((SELECT COUNT(*) FROM information_schema.triggers WHERE event_object_schema = 'shop_migrator_quarantine' AND event_object_table = 'logins' AND trigger_name IN ('migrator_insert_logins', 'migrator_update_logins', 'migrator_delete_logins')) = 3, 'writes to shop.logins are blocked');
    CALL "shop_migrator_guard".verified((SELECT next_not_cached_value FROM "shop_migrator_guard"."rejected_logins") = 1, 'nothing writes to shop.logins any more');
    END IF;
    IF "shop_migrator_guard".is_there('shop_migrator_quarantine', 'a "visit') THEN
    CALL "shop_migrator_guard".verified((SELECT COUNT(*) FROM information_schema.triggers WHERE event_object_schema = 'shop_migrator_quarantine' AND event_object_table = 'a "visit' AND trigger_name IN ('migrator_insert_a "visit', 'migrator_update_a "visit', 'migrator_delete_a "visit')) = 3, 'writes to shop.a "visit are blocked');
    CALL "shop_migrator_guard".verified((SELECT next_not_cached_value FROM "shop_migrator_guard"."rejected_a ""visit") = 1, 'nothing writes to shop.a "visit any more');
    END IF;
    CALL "shop_migrator_guard".drop_tables();
    DROP SEQUENCE IF EXISTS "shop_migrator_guard"."rejected_logins";
    DROP SEQUENCE IF EXISTS "shop_migrator_guard"."rejected_a ""visit";
    CALL "shop_migrator_guard".leave('09_purge_tables', 'drop', 'deploy', TRUE);
END
$migrator$
