-- name: roles
-- NULL for nobody's roles: such a line needs no closer look.
nullif({arrays}, '{{}}')

-- name: flag
CASE WHEN {column} THEN ARRAY[{name}]::text[] ELSE '{{}}'::text[] END

-- name: disabled
{column} IS NOT TRUE
