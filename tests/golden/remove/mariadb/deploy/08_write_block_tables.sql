-- 08_write_block_tables (deploy), plan 41e796b6af5edfc9, database shop (MariaDB)
--
-- What:    Blocks writes to the quarantined tables by triggers and takes their foreign keys away, since cascades pass
--          triggers by; then compares the tables with their archive in one snapshot.
-- Lock:    An exclusive metadata lock on each quarantined table for a moment (trigger, foreign key).
-- Blocks:  Writes to these tables. A user who is deleted from here on leaves rows behind in them, which a revert lists.
-- Waits:   at most 2 s for a lock (MariaDB counts whole seconds); `migrator` tries up to 5 times with growing random
--          pauses and then stops, holding nothing.
-- Undo:    At any time. Foreign keys come back unchecked, rows that point to nothing are listed. Command: migrator
--          remove revert
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

-- unit: block_1
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".enter('08_write_block_tables', 'block_1', 'deploy', '41e796b6af5edfc9');
    CREATE OR REPLACE SEQUENCE "shop_migrator_guard"."rejected_logins" NOCACHE;
    EXECUTE IMMEDIATE 'CREATE OR REPLACE TRIGGER "shop_migrator_quarantine"."migrator_insert_logins" BEFORE INSERT ON "shop_migrator_quarantine"."logins" FOR EACH ROW BEGIN DO NEXTVAL("shop_migrator_guard"."rejected_logins"); SIGNAL SQLSTATE ''45000'' SET MYSQL_ERRNO = 31010, MESSAGE_TEXT = ''logins is in quarantine on its way out; next: migrator remove status''; END';
    EXECUTE IMMEDIATE 'CREATE OR REPLACE TRIGGER "shop_migrator_quarantine"."migrator_update_logins" BEFORE UPDATE ON "shop_migrator_quarantine"."logins" FOR EACH ROW BEGIN DO NEXTVAL("shop_migrator_guard"."rejected_logins"); SIGNAL SQLSTATE ''45000'' SET MYSQL_ERRNO = 31010, MESSAGE_TEXT = ''logins is in quarantine on its way out; next: migrator remove status''; END';
    EXECUTE IMMEDIATE 'CREATE OR REPLACE TRIGGER "shop_migrator_quarantine"."migrator_delete_logins" BEFORE DELETE ON "shop_migrator_quarantine"."logins" FOR EACH ROW BEGIN IF NOT "shop_migrator_guard"."is_approved"() THEN DO NEXTVAL("shop_migrator_guard"."rejected_logins"); SIGNAL SQLSTATE ''45000'' SET MYSQL_ERRNO = 31010, MESSAGE_TEXT = ''logins is in quarantine on its way out; next: migrator remove status''; END IF; END';
    CALL "shop_migrator_guard".leave('08_write_block_tables', 'block_1', 'deploy', FALSE);
END
$migrator$

-- unit: untie_1
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".enter('08_write_block_tables', 'untie_1', 'deploy', '41e796b6af5edfc9');
    ALTER TABLE "shop_migrator_quarantine"."logins"
        DROP FOREIGN KEY IF EXISTS "odd ""user";
    CALL "shop_migrator_guard".leave('08_write_block_tables', 'untie_1', 'deploy', FALSE);
END
$migrator$

-- unit: block_2
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".enter('08_write_block_tables', 'block_2', 'deploy', '41e796b6af5edfc9');
    CREATE OR REPLACE SEQUENCE "shop_migrator_guard"."rejected_a ""visit" NOCACHE;
    EXECUTE IMMEDIATE 'CREATE OR REPLACE TRIGGER "shop_migrator_quarantine"."migrator_insert_a ""visit" BEFORE INSERT ON "shop_migrator_quarantine"."a ""visit" FOR EACH ROW BEGIN DO NEXTVAL("shop_migrator_guard"."rejected_a ""visit"); SIGNAL SQLSTATE ''45000'' SET MYSQL_ERRNO = 31010, MESSAGE_TEXT = ''a "visit is in quarantine on its way out; next: migrator remove status''; END';
    EXECUTE IMMEDIATE 'CREATE OR REPLACE TRIGGER "shop_migrator_quarantine"."migrator_update_a ""visit" BEFORE UPDATE ON "shop_migrator_quarantine"."a ""visit" FOR EACH ROW BEGIN DO NEXTVAL("shop_migrator_guard"."rejected_a ""visit"); SIGNAL SQLSTATE ''45000'' SET MYSQL_ERRNO = 31010, MESSAGE_TEXT = ''a "visit is in quarantine on its way out; next: migrator remove status''; END';
    EXECUTE IMMEDIATE 'CREATE OR REPLACE TRIGGER "shop_migrator_quarantine"."migrator_delete_a ""visit" BEFORE DELETE ON "shop_migrator_quarantine"."a ""visit" FOR EACH ROW BEGIN IF NOT "shop_migrator_guard"."is_approved"() THEN DO NEXTVAL("shop_migrator_guard"."rejected_a ""visit"); SIGNAL SQLSTATE ''45000'' SET MYSQL_ERRNO = 31010, MESSAGE_TEXT = ''a "visit is in quarantine on its way out; next: migrator remove status''; END IF; END';
    CALL "shop_migrator_guard".leave('08_write_block_tables', 'block_2', 'deploy', FALSE);
END
$migrator$

-- unit: untie_2
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".enter('08_write_block_tables', 'untie_2', 'deploy', '41e796b6af5edfc9');
    ALTER TABLE "shop_migrator_quarantine"."a ""visit"
        DROP FOREIGN KEY IF EXISTS "login";
    CALL "shop_migrator_guard".leave('08_write_block_tables', 'untie_2', 'deploy', FALSE);
END
$migrator$

-- unit: compare
BEGIN NOT ATOMIC
    DECLARE found_rows BIGINT;
    DECLARE found_sha256 CHAR(64);
    DECLARE found_cut BIGINT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    START TRANSACTION WITH CONSISTENT SNAPSHOT;
    CALL "shop_migrator_guard".enter('08_write_block_tables', 'compare', 'deploy', '41e796b6af5edfc9');
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
    CALL "shop_migrator_guard".leave('08_write_block_tables', 'compare', 'deploy', TRUE);
    COMMIT;
END
$migrator$
