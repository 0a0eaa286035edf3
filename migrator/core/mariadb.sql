-- name: digest
-- Count, and SHA-256 over up to 256 parts, each over the sorted SHA-256 of its rows; `cut` when the server cut a part off.
SELECT COALESCE(SUM(p.n), 0) AS "rows",
       SHA2(COALESCE(GROUP_CONCAT(UNHEX(p.h) ORDER BY p.part SEPARATOR ''), ''), 256) AS sha256,
       COALESCE(SUM(p.bytes <> 32 * p.n OR p.bytes IS NULL), 0) AS cut
FROM (SELECT LEFT(r.h, 2) AS part, COUNT(*) AS n,
             SHA2(GROUP_CONCAT(UNHEX(r.h) ORDER BY r.h SEPARATOR ''), 256) AS h,
             LENGTH(GROUP_CONCAT(UNHEX(r.h) SEPARATOR '')) AS bytes
      FROM (SELECT SHA2(CONCAT({fields}), 256) AS h FROM {table} AS t) AS r GROUP BY 1) AS p
