-- 08_write_block_tables (revert), plan 41e796b6af5edfc9, database shop (MariaDB)
--
-- What:    Takes this step back: Blocks writes to the quarantined tables by triggers and takes their foreign keys away,
--          since cascades pass triggers by; then compares the tables with their archive in one snapshot.
-- Lock:    As in the deploy file, and metadata locks on tables that a foreign key ties to what comes back.
-- Blocks:  Writes to these tables. A user who is deleted from here on leaves rows behind in them, which a revert lists.
-- Waits:   at most 2 s for a lock (MariaDB counts whole seconds); `migrator` tries up to 5 times with growing random
--          pauses and then stops, holding nothing.
-- Undo:    Apply the step again: migrator remove apply --to 08_write_block_tables
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

-- unit: tie_1_1
BEGIN NOT ATOMIC
    DECLARE orphans BIGINT;
    DECLARE some TEXT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SET SESSION foreign_key_checks = 1; RESIGNAL; END;
    CALL "shop_migrator_guard".enter('08_write_block_tables', 'tie_1_1', 'revert', '41e796b6af5edfc9');
    -- Unchecked, or each row would be looked up while the table is locked.
    SET SESSION foreign_key_checks = 0;
    IF NOT EXISTS (SELECT 1 FROM information_schema.referential_constraints WHERE constraint_schema = 'shop_migrator_quarantine'
                   AND table_name = 'logins' AND constraint_name = 'odd "user') THEN
        ALTER TABLE "shop_migrator_quarantine"."logins"
            ADD CONSTRAINT "odd ""user" FOREIGN KEY ("id") REFERENCES "shop"."users" ("id") ON DELETE CASCADE, ALGORITHM = INPLACE, LOCK = NONE;
    END IF;
    SET SESSION foreign_key_checks = 1;
    SELECT COUNT(*), COALESCE(SUBSTRING_INDEX(GROUP_CONCAT(CONCAT_WS(',', r."id") SEPARATOR ' '), ' ', 20), '') INTO orphans, some
    FROM "shop_migrator_quarantine"."logins" AS r
    WHERE r."id" IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM "shop"."users" AS t WHERE t."id" = r."id");
    IF orphans > 0 THEN
        REPLACE INTO "shop_migrator_guard".orphan (table_name, constraint_name, "rows", some_keys)
        VALUES ('shop.logins', 'odd "user', orphans, some);
    END IF;
    CALL "shop_migrator_guard".leave('08_write_block_tables', 'tie_1_1', 'revert', FALSE);
END
$migrator$

-- unit: tie_2_1
BEGIN NOT ATOMIC
    DECLARE orphans BIGINT;
    DECLARE some TEXT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SET SESSION foreign_key_checks = 1; RESIGNAL; END;
    CALL "shop_migrator_guard".enter('08_write_block_tables', 'tie_2_1', 'revert', '41e796b6af5edfc9');
    -- Unchecked, or each row would be looked up while the table is locked.
    SET SESSION foreign_key_checks = 0;
    IF NOT EXISTS (SELECT 1 FROM information_schema.referential_constraints WHERE constraint_schema = 'shop_migrator_quarantine'
                   AND table_name = 'a "visit' AND constraint_name = 'login') THEN
        ALTER TABLE "shop_migrator_quarantine"."a ""visit"
            ADD CONSTRAINT "login" FOREIGN KEY ("id", "seal") REFERENCES "shop_migrator_quarantine"."logins" ("id", "seal"), ALGORITHM = INPLACE, LOCK = NONE;
    END IF;
    SET SESSION foreign_key_checks = 1;
    SELECT COUNT(*), COALESCE(SUBSTRING_INDEX(GROUP_CONCAT(CONCAT_WS(',', r."id", r."seal") SEPARATOR ' '), ' ', 20), '') INTO orphans, some
    FROM "shop_migrator_quarantine"."a ""visit" AS r
    WHERE r."id" IS NOT NULL AND r."seal" IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM "shop_migrator_quarantine"."logins" AS t WHERE t."id" = r."id" AND t."seal" = r."seal");
    IF orphans > 0 THEN
        REPLACE INTO "shop_migrator_guard".orphan (table_name, constraint_name, "rows", some_keys)
        VALUES ('shop.a "visit', 'login', orphans, some);
    END IF;
    CALL "shop_migrator_guard".leave('08_write_block_tables', 'tie_2_1', 'revert', FALSE);
END
$migrator$

-- unit: unblock
BEGIN NOT ATOMIC
    CALL "shop_migrator_guard".enter('08_write_block_tables', 'unblock', 'revert', '41e796b6af5edfc9');
    DROP TRIGGER IF EXISTS "shop_migrator_quarantine"."migrator_insert_logins";
    DROP TRIGGER IF EXISTS "shop_migrator_quarantine"."migrator_update_logins";
    DROP TRIGGER IF EXISTS "shop_migrator_quarantine"."migrator_delete_logins";
    DROP SEQUENCE IF EXISTS "shop_migrator_guard"."rejected_logins";
    DROP TRIGGER IF EXISTS "shop_migrator_quarantine"."migrator_insert_a ""visit";
    DROP TRIGGER IF EXISTS "shop_migrator_quarantine"."migrator_update_a ""visit";
    DROP TRIGGER IF EXISTS "shop_migrator_quarantine"."migrator_delete_a ""visit";
    DROP SEQUENCE IF EXISTS "shop_migrator_guard"."rejected_a ""visit";
    CALL "shop_migrator_guard".leave('08_write_block_tables', 'unblock', 'revert', TRUE);
END
$migrator$
