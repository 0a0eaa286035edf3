-- name: secrets
COPY (SELECT {id}::text{columns} FROM {users} WHERE {id} = ANY(CAST(%(pks)s AS {type}[]))) TO STDOUT
