-- name: after
SELECT "identifier", "value" FROM "verification"
WHERE "identifier" > ? AND "identifier" < ?
ORDER BY "identifier"
LIMIT ?

-- name: acknowledge
UPDATE "verification"
SET "value" = json_set(json_remove("value", '$.sealed'), '$.acknowledged', json('true'))
WHERE "identifier" IN (SELECT value FROM json_each(?))
