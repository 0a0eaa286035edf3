-- name: users
SELECT {parts} FROM {users} AS u

-- name: password
-- '!' begins what Django writes where a password must not work. Its own name before argon2's value is
-- taken off, and scrypt is written as Werkzeug does: the same derivation with the parts in another order.
CASE WHEN starts_with({column}::text, '!') THEN NULL
     WHEN starts_with({column}::text, 'argon2$argon2') THEN substr({column}::text, 7)
     WHEN {column}::text ~ '^scrypt\$[0-9]+\$[^$]+\$[0-9]+\$[0-9]+\$[A-Za-z0-9+/]{{86}}==$'
     THEN concat('scrypt:', split_part({column}::text, '$', 2), ':', split_part({column}::text, '$', 4),
                 ':', split_part({column}::text, '$', 5), '$', split_part({column}::text, '$', 3),
                 '$', encode(decode(split_part({column}::text, '$', 6), 'base64'), 'hex'))
     ELSE {column}::text END

-- name: username
-- Who signs in with an address needs no user name beside it.
CASE WHEN lower({column}::text) <> lower({email}::text) OR {email} IS NULL THEN {column}::text END

-- name: full_name
nullif(concat_ws(' ', {names}), '')

-- name: name
nullif(trim({column}::text), '')

-- name: groups
ARRAY(SELECT g.name::text FROM {join} AS j JOIN {groups} AS g ON g.id = j.group_id WHERE j.{user} = {id})
