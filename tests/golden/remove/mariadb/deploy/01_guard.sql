-- 01_guard (deploy), plan 41e796b6af5edfc9, database shop (MariaDB)
--
-- What:    Makes the databases of this removal beside the application's: guard (lease, evidence, step log), quarantine
--          and archive.
-- Lock:    None on existing objects.
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

-- unit: guard
BEGIN NOT ATOMIC
    IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'shop_migrator_guard' AND table_name = 'plan') THEN
        SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31006, MESSAGE_TEXT = 'a plan is under way in this database; next: migrator remove status';
    END IF;
    CREATE DATABASE IF NOT EXISTS "shop_migrator_guard" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    CREATE DATABASE IF NOT EXISTS "shop_migrator_quarantine" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    CREATE DATABASE IF NOT EXISTS "shop_migrator_archive" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    -- How far the removal is.
    CREATE OR REPLACE TABLE "shop_migrator_guard".step (
        step VARCHAR(64) PRIMARY KEY,
        state VARCHAR(10) NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'applying', 'applied', 'reverting')),
        at DATETIME(6) NOT NULL DEFAULT UTC_TIMESTAMP(6)
    ) ENGINE = InnoDB;
    INSERT INTO "shop_migrator_guard".step (step, state) VALUES
        ('01_guard', 'applied'),
        ('05_quarantine_tables', 'pending'),
        ('06_archive_tables', 'pending'),
        ('07_drill_tables', 'pending'),
        ('08_write_block_tables', 'pending'),
        ('09_purge_tables', 'pending'),
        ('17_finalize', 'pending');
    -- Parts of a step that are done, so that an interrupted one goes on where it stopped.
    CREATE OR REPLACE TABLE "shop_migrator_guard".unit (
        step VARCHAR(64) NOT NULL,
        direction VARCHAR(6) NOT NULL,
        unit VARCHAR(64) NOT NULL,
        fence BIGINT,
        at DATETIME(6) NOT NULL DEFAULT UTC_TIMESTAMP(6),
        PRIMARY KEY (step, direction, unit)
    ) ENGINE = InnoDB;
    -- Who works: a lock of the server that ends with its session, and a number that grows with each holder.
    CREATE OR REPLACE TABLE "shop_migrator_guard".lease (
        only_one TINYINT PRIMARY KEY DEFAULT 1 CHECK (only_one = 1),
        holder VARCHAR(255) NOT NULL,
        fence BIGINT NOT NULL,
        taken_at DATETIME(6) NOT NULL
    ) ENGINE = InnoDB;
    -- Who erases single rows in spite of the write-block; its row ends with the transaction that does it.
    CREATE OR REPLACE TABLE "shop_migrator_guard".writer (connection BIGINT UNSIGNED PRIMARY KEY, fence BIGINT NOT NULL) ENGINE = InnoDB;
    -- Why a step may be deployed: a hash over the verdicts of its gates, good for a short while, for these tables.
    CREATE OR REPLACE TABLE "shop_migrator_guard".evidence (
        step VARCHAR(64) PRIMARY KEY,
        plan_id CHAR(16) NOT NULL,
        plan_hash CHAR(64) NOT NULL,
        evidence_hash CHAR(64) NOT NULL,
        table_ids TEXT NOT NULL,
        expires_at DATETIME(6) NOT NULL
    ) ENGINE = InnoDB;
    -- The planned tables by InnoDB's own number, which stays the same through a RENAME.
    CREATE OR REPLACE TABLE "shop_migrator_guard".target (
        name VARCHAR(64) PRIMARY KEY,
        table_id BIGINT UNSIGNED NOT NULL
    ) ENGINE = InnoDB;
    INSERT INTO "shop_migrator_guard".target (name, table_id) VALUES
        ('logins', 11),
        ('a "visit', 12);
    CREATE OR REPLACE TABLE "shop_migrator_guard".archive (
        name VARCHAR(64) PRIMARY KEY,
        "rows" BIGINT NOT NULL,
        sha256 CHAR(64) NOT NULL,
        manifest_sha256 CHAR(64),
        erased BIGINT NOT NULL DEFAULT 0,
        archived_at DATETIME(6) NOT NULL DEFAULT UTC_TIMESTAMP(6),
        drilled_at DATETIME(6)
    ) ENGINE = InnoDB;
    -- Tables in the archive database that are whole, and where AUTO_INCREMENT stood.
    CREATE OR REPLACE TABLE "shop_migrator_guard".loaded (name VARCHAR(64) PRIMARY KEY) ENGINE = InnoDB;
    CREATE OR REPLACE TABLE "shop_migrator_guard".counter (name VARCHAR(64) PRIMARY KEY, value BIGINT UNSIGNED NOT NULL) ENGINE = InnoDB;
    CREATE OR REPLACE TABLE "shop_migrator_guard".orphan (
        table_name VARCHAR(130) NOT NULL,
        constraint_name VARCHAR(64) NOT NULL,
        "rows" BIGINT NOT NULL,
        some_keys TEXT NOT NULL,
        PRIMARY KEY (table_name, constraint_name)
    ) ENGINE = InnoDB;
END
$migrator$

CREATE OR REPLACE PROCEDURE "shop_migrator_guard".refuse(number INT, what TEXT, next_command TEXT) SQL SECURITY INVOKER
BEGIN
    DECLARE said TEXT DEFAULT CONCAT(COALESCE(what, 'unknown'), '; next: ', next_command);
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = number, MESSAGE_TEXT = said;
END
$migrator$
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".verified(fine BOOLEAN, what TEXT) SQL SECURITY INVOKER
BEGIN
    IF fine IS NOT TRUE THEN
        CALL "shop_migrator_guard".refuse(31007, CONCAT('not so: ', what), 'migrator remove status');
    END IF;
END
$migrator$
-- InnoDB's number of a table, NULL when there is none.
CREATE OR REPLACE FUNCTION "shop_migrator_guard".id_of(place VARCHAR(64) CHARACTER SET utf8mb4, name VARCHAR(64) CHARACTER SET utf8mb4) RETURNS BIGINT UNSIGNED
READS SQL DATA SQL SECURITY INVOKER
RETURN (SELECT t.table_id FROM information_schema.innodb_sys_tables AS t
        WHERE CONVERT(t.name USING binary) = CONCAT(CONVERT(CONVERT(place USING filename) USING binary), '/', CONVERT(CONVERT(name USING filename) USING binary)))
$migrator$
-- Whether the planned table itself is in a database.
CREATE OR REPLACE FUNCTION "shop_migrator_guard".is_there(place VARCHAR(64) CHARACTER SET utf8mb4, this_name VARCHAR(64) CHARACTER SET utf8mb4) RETURNS BOOLEAN
READS SQL DATA SQL SECURITY INVOKER
RETURN EXISTS (SELECT 1 FROM "shop_migrator_guard".target AS t WHERE t.name = this_name AND t.table_id = "shop_migrator_guard".id_of(place, this_name))
$migrator$
CREATE OR REPLACE FUNCTION "shop_migrator_guard".is_applied(this_step VARCHAR(64)) RETURNS BOOLEAN READS SQL DATA SQL SECURITY INVOKER
RETURN EXISTS (SELECT 1 FROM "shop_migrator_guard".step AS s WHERE s.step = this_step AND s.state = 'applied')
$migrator$
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".take_lease(who VARCHAR(255)) SQL SECURITY INVOKER
BEGIN
    DECLARE other TEXT;
    IF COALESCE(GET_LOCK('shop_migrator_guard', 1), 0) <> 1 THEN
        SELECT CONCAT(l.holder, ' holds the lease on this database''s removal (connection ', COALESCE(IS_USED_LOCK('shop_migrator_guard'), 'gone by now'), ')')
        INTO other FROM "shop_migrator_guard".lease AS l;
        CALL "shop_migrator_guard".refuse(31001, COALESCE(other, 'another operator holds the lease'), 'let that one finish, then the same command');
    END IF;
    INSERT INTO "shop_migrator_guard".lease (holder, fence, taken_at) VALUES (who, 1, UTC_TIMESTAMP(6))
    ON DUPLICATE KEY UPDATE holder = who, fence = fence + 1, taken_at = UTC_TIMESTAMP(6);
    SELECT l.fence INTO @migrator_fence FROM "shop_migrator_guard".lease AS l;
END
$migrator$
-- For a session that runs these files without `migrator`; the lease ends with it, or by lease_back.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".lease_by_hand() SQL SECURITY INVOKER
CALL "shop_migrator_guard".take_lease(CONCAT('by hand ', USER()))
$migrator$
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".lease_back() SQL SECURITY INVOKER
BEGIN
    SET @migrator_fence = NULL;
    DO RELEASE_LOCK('shop_migrator_guard');
END
$migrator$
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".check_lease() SQL SECURITY INVOKER
BEGIN
    DECLARE mine BIGINT;
    SELECT COUNT(*) INTO mine FROM "shop_migrator_guard".lease AS l WHERE l.fence = @migrator_fence FOR UPDATE;
    IF mine = 0 OR COALESCE(IS_USED_LOCK('shop_migrator_guard'), 0) <> CONNECTION_ID() THEN
        CALL "shop_migrator_guard".refuse(31001, 'this session holds no lease on the removal', 'migrator remove apply, or migrator remove revert');
    END IF;
END
$migrator$
-- Whether this session erases single rows now. A row that somebody left is void: the next lease has another number.
CREATE OR REPLACE FUNCTION "shop_migrator_guard".is_approved() RETURNS BOOLEAN READS SQL DATA SQL SECURITY INVOKER
BEGIN
    DECLARE found BIGINT;
    -- A statement of its own waits for no lock of the one who erases.
    SELECT COUNT(*) INTO found FROM "shop_migrator_guard".writer AS w JOIN "shop_migrator_guard".lease AS l ON l.fence = w.fence WHERE w.connection = CONNECTION_ID();
    RETURN found > 0;
END
$migrator$
-- Lets this transaction delete past the write-block; it has to take the row away before it commits.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".approve_writer() SQL SECURITY INVOKER
BEGIN
    IF @@in_transaction = 0 THEN
        CALL "shop_migrator_guard".refuse(31006, 'a writer is approved for one transaction only', 'migrator remove erase');
    END IF;
    CALL "shop_migrator_guard".check_lease();
    DELETE FROM "shop_migrator_guard".writer;
    INSERT INTO "shop_migrator_guard".writer (connection, fence) VALUES (CONNECTION_ID(), @migrator_fence);
END
$migrator$
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".check_evidence(this_step VARCHAR(64), this_plan CHAR(16)) SQL SECURITY INVOKER
BEGIN
    IF NOT EXISTS (SELECT 1 FROM "shop_migrator_guard".evidence AS e
                   WHERE e.step = this_step AND e.plan_id = this_plan AND e.expires_at > UTC_TIMESTAMP(6)
                     AND e.table_ids = (SELECT GROUP_CONCAT(t.table_id ORDER BY t.name) FROM "shop_migrator_guard".target AS t)) THEN
        CALL "shop_migrator_guard".refuse(31002, CONCAT('step ', this_step, ' has no gate evidence that is still good'),
            CONCAT('migrator gate check --before remove, then migrator remove apply --to ', this_step, ', or migrator remove permit ', this_step, ' and this file again'));
    END IF;
END
$migrator$
-- What SQL itself can measure, again in each part.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".measure() SQL SECURITY INVOKER
BEGIN
    DECLARE still DATETIME(6);
    IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = 'migrator_identity') THEN
        SELECT MAX(i.last_legacy_at) INTO still FROM "shop"."migrator_identity" AS i
        WHERE i.last_legacy_at > UTC_TIMESTAMP(6) - INTERVAL 86400 SECOND;
        IF still IS NOT NULL THEN
            CALL "shop_migrator_guard".refuse(31002, CONCAT('a user was on the legacy side at ', still), 'wait as long as [remove] quiet_for says, or find out who: migrator drain status');
        END IF;
    END IF;
END
$migrator$
-- Each planned table is where it was planned or in quarantine, until the purge has compared it.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".unchanged(this_step VARCHAR(64)) SQL SECURITY INVOKER
BEGIN
    DECLARE strange TEXT;
    IF this_step < '09_purge_tables'
       OR (this_step = '09_purge_tables' AND NOT EXISTS (SELECT 1 FROM "shop_migrator_guard".unit AS u
           WHERE u.step = this_step AND u.direction = 'deploy' AND u.unit = 'compare')) THEN
        SELECT GROUP_CONCAT(t.name) INTO strange FROM "shop_migrator_guard".target AS t
        WHERE NOT "shop_migrator_guard".is_there('shop', t.name) AND NOT "shop_migrator_guard".is_there('shop_migrator_quarantine', t.name);
        IF strange IS NOT NULL THEN
            CALL "shop_migrator_guard".refuse(31003, CONCAT('not the planned table: ', strange), 'migrator remove revert, then migrator remove plan');
        END IF;
    END IF;
END
$migrator$
-- Opens a part of a step: lease, order of steps, evidence, and what can be measured here.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".enter(this_step VARCHAR(64), this_unit VARCHAR(64), this_direction VARCHAR(6), this_plan CHAR(16)) SQL SECURITY INVOKER
BEGIN
    DECLARE now_state VARCHAR(10);
    DECLARE in_the_way VARCHAR(64);
    DECLARE its_state VARCHAR(10);
    IF NOT EXISTS (SELECT 1 FROM "shop_migrator_guard".plan AS p WHERE p.plan_id = this_plan) THEN
        CALL "shop_migrator_guard".refuse(31006, CONCAT('another plan than ', this_plan, ' is under way'), 'revert that one with its own files first: migrator remove status');
    END IF;
    CALL "shop_migrator_guard".check_lease();
    IF EXISTS (SELECT 1 FROM "shop_migrator_guard".unit AS u WHERE u.step = this_step AND u.direction = this_direction AND u.unit = this_unit) THEN
        CALL "shop_migrator_guard".refuse(31006, CONCAT('part ', this_unit, ' of step ', this_step, ' is done'), 'migrator remove apply and migrator remove revert go on where a step stopped');
    END IF;
    SELECT s.state INTO now_state FROM "shop_migrator_guard".step AS s WHERE s.step = this_step;
    IF this_direction = 'deploy' THEN
        SELECT MIN(s.step) INTO in_the_way FROM "shop_migrator_guard".step AS s WHERE s.step < this_step AND s.state <> 'applied';
    ELSE
        SELECT MAX(s.step) INTO in_the_way FROM "shop_migrator_guard".step AS s WHERE s.step > this_step AND s.state <> 'pending';
    END IF;
    IF in_the_way IS NOT NULL THEN
        SELECT s.state INTO its_state FROM "shop_migrator_guard".step AS s WHERE s.step = in_the_way;
        CALL "shop_migrator_guard".refuse(31006, CONCAT('step ', in_the_way, ' comes before ', this_step, ', and is ', its_state), CASE
            WHEN this_direction = 'revert' THEN CONCAT('revert/', in_the_way, '.sql, or migrator remove revert --to ', this_step)
            WHEN its_state = 'reverting' THEN CONCAT('revert/', in_the_way, '.sql, which stopped half-way')
            ELSE CONCAT('migrator remove permit ', in_the_way, ' and deploy/', in_the_way, '.sql, or migrator remove apply --to ', in_the_way) END);
    END IF;
    IF (this_direction = 'deploy' AND now_state NOT IN ('pending', 'applying')) OR (this_direction = 'revert' AND now_state = 'pending') THEN
        CALL "shop_migrator_guard".refuse(31006, CONCAT('step ', this_step, ' is ', now_state), CASE now_state
            WHEN 'reverting' THEN CONCAT('revert/', this_step, '.sql, which stopped half-way')
            ELSE 'nothing is left to do here; migrator remove status tells what comes next' END);
    END IF;
    IF this_direction = 'deploy' THEN
        CALL "shop_migrator_guard".check_evidence(this_step, this_plan);
        CALL "shop_migrator_guard".measure();
        CALL "shop_migrator_guard".unchanged(this_step);
    END IF;
    UPDATE "shop_migrator_guard".step AS s SET s.state = IF(this_direction = 'deploy', 'applying', 'reverting'), s.at = UTC_TIMESTAMP(6) WHERE s.step = this_step;
END
$migrator$
-- Closes a part of a step; the last one settles the step's state.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".leave(this_step VARCHAR(64), this_unit VARCHAR(64), this_direction VARCHAR(6), is_last BOOLEAN) SQL SECURITY INVOKER
BEGIN
    CALL "shop_migrator_guard".check_lease();
    IF is_last THEN
        UPDATE "shop_migrator_guard".step AS s SET s.state = IF(this_direction = 'deploy', 'applied', 'pending'), s.at = UTC_TIMESTAMP(6) WHERE s.step = this_step;
        DELETE FROM "shop_migrator_guard".unit WHERE step = this_step AND (this_direction = 'revert' OR direction = 'revert');
    END IF;
    IF NOT is_last OR this_direction = 'deploy' THEN
        INSERT INTO "shop_migrator_guard".unit (step, direction, unit, fence) VALUES (this_step, this_direction, this_unit, @migrator_fence);
    END IF;
END
$migrator$
-- Compares what was counted with the archive.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".compare(this_name VARCHAR(64), found_rows BIGINT, found_sha256 CHAR(64), found_cut BIGINT) SQL SECURITY INVOKER
BEGIN
    IF found_cut <> 0 THEN
        CALL "shop_migrator_guard".refuse(31004, CONCAT(this_name, ' is too long for a checksum'), 'raise max_allowed_packet of the server, then the same again');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM "shop_migrator_guard".archive AS a WHERE a.name = this_name AND a."rows" = found_rows AND a.sha256 = found_sha256) THEN
        CALL "shop_migrator_guard".refuse(31004, CONCAT(this_name, ' differs from its archive: ', found_rows, ' rows with checksum ', LEFT(found_sha256, 12)),
            'migrator remove revert --to 05_quarantine_tables, then apply again');
    END IF;
END
$migrator$
-- A view would go on pointing to where the table was.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".no_views() SQL SECURITY INVOKER
BEGIN
    DECLARE found TEXT;
    SELECT GROUP_CONCAT(DISTINCT CONCAT(v.table_schema, '.', v.table_name)) INTO found FROM information_schema.views AS v, "shop_migrator_guard".target AS t
    WHERE INSTR(REPLACE(v.view_definition, '"', '`'), CONCAT('`', 'shop', '`.`', t.name, '`')) > 0;
    IF found IS NOT NULL THEN
        CALL "shop_migrator_guard".refuse(31005, CONCAT('changed since the plan: a view reads the tables: ', found), 'drop the view, or migrator remove revert and migrator remove plan');
    END IF;
END
$migrator$
-- By one statement, those that are not there yet.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".move_tables(here VARCHAR(64), there VARCHAR(64)) SQL SECURITY INVOKER
BEGIN
    DECLARE moves TEXT;
    SELECT GROUP_CONCAT('"', REPLACE(here, '"', '""'), '"."', REPLACE(t.name, '"', '""'), '" TO "', REPLACE(there, '"', '""'), '"."', REPLACE(t.name, '"', '""'), '"')
    INTO moves FROM "shop_migrator_guard".target AS t WHERE "shop_migrator_guard".is_there(here, t.name);
    IF moves IS NOT NULL THEN
        EXECUTE IMMEDIATE CONCAT('RENAME TABLE ', moves);
    END IF;
END
$migrator$
-- The planned tables and no others, never with IF EXISTS.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".drop_tables() SQL SECURITY INVOKER
BEGIN
    DECLARE going TEXT;
    SELECT GROUP_CONCAT('"shop_migrator_quarantine"."', REPLACE(t.name, '"', '""'), '"')
    INTO going FROM "shop_migrator_guard".target AS t WHERE "shop_migrator_guard".is_there('shop_migrator_quarantine', t.name);
    IF going IS NOT NULL THEN
        EXECUTE IMMEDIATE CONCAT('DROP TABLE ', going);
    END IF;
END
$migrator$
-- Of a table in quarantine: where AUTO_INCREMENT stood before the purge.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".set_counter(this_name VARCHAR(64)) SQL SECURITY INVOKER
BEGIN
    DECLARE stood BIGINT UNSIGNED;
    SELECT MAX(c.value) INTO stood FROM "shop_migrator_guard".counter AS c WHERE c.name = this_name;
    IF stood IS NOT NULL THEN
        EXECUTE IMMEDIATE CONCAT('ALTER TABLE "shop_migrator_quarantine"."', REPLACE(this_name, '"', '""'), '" AUTO_INCREMENT = ', stood);
    END IF;
END
$migrator$
-- DROP DATABASE takes what it finds: nothing may be left there.
CREATE OR REPLACE PROCEDURE "shop_migrator_guard".nothing_left() SQL SECURITY INVOKER
BEGIN
    DECLARE found TEXT;
    SELECT GROUP_CONCAT(CONCAT(t.table_schema, '.', t.table_name)) INTO found FROM information_schema.tables AS t
    WHERE t.table_schema IN ('shop_migrator_quarantine', 'shop_migrator_archive');
    CALL "shop_migrator_guard".verified(found IS NULL, CONCAT('nothing is left in quarantine and archive: ', found));
END
$migrator$

-- The last one: without it there is no plan here, and this file begins anew.
BEGIN NOT ATOMIC
    CREATE TABLE "shop_migrator_guard".plan (
        only_one TINYINT PRIMARY KEY DEFAULT 1 CHECK (only_one = 1),
        plan_id CHAR(16) NOT NULL
    ) ENGINE = InnoDB AS SELECT 1 AS only_one, '41e796b6af5edfc9' AS plan_id;
END
$migrator$
