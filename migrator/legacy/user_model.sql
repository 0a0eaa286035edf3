-- name: roles
-- NULL for nobody's roles: such a line needs no closer look.
nullif({arrays}, '{{}}')
