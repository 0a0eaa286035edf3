-- name: insert_row
INSERT INTO {table} ({columns}) VALUES ({places}) {conflict}

-- name: insert_rows
-- One parameter: the rows as a JSON array of arrays. The condition keeps ON CONFLICT apart from a join.
INSERT INTO {table} ({columns}) SELECT {values} FROM json_each(?) WHERE true {conflict}

-- name: pass_over
ON CONFLICT ("id") DO NOTHING

-- name: rows
-- One parameter: rows of values as a JSON array of arrays.
FROM json_each(?) AS c
