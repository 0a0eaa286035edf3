-- 17_finalize (verify), plan 41e796b6af5edfc9, database shop (MariaDB)
-- Raises with error 31007 when something of the removal is left. Reads only.
DELIMITER $migrator$

-- always: verify
BEGIN NOT ATOMIC
    IF EXISTS (SELECT 1 FROM information_schema.schemata WHERE schema_name IN ('shop_migrator_guard', 'shop_migrator_quarantine', 'shop_migrator_archive', 'shop_migrator_drill')) THEN
        SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31007, MESSAGE_TEXT = 'not so: the databases of the removal are gone; next: migrator remove status';
    END IF;
END
$migrator$
