-- name: moved_users
SELECT count(*) FROM migrator_identity WHERE source = %s AND home = 'auther'
