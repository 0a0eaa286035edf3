-- name: client
SELECT name, redirect_ur_ls, type, disabled, metadata, updated_at, coalesce(client_secret, '') <> ''
FROM oauth_application WHERE client_id = ?

-- name: insert_client
INSERT INTO oauth_application (id, name, client_id, client_secret, redirect_ur_ls, type, disabled, created_at, updated_at)
VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?)

-- name: update_client
-- From the client's id on: the row as it was read, so that nobody else's change is undone.
UPDATE oauth_application SET name = ?, redirect_ur_ls = ?, type = ?, disabled = ?, updated_at = ?
WHERE client_id = ? AND coalesce(client_secret, '') = ''
  AND (name, redirect_ur_ls, type, disabled, metadata, updated_at) IS (?, ?, ?, ?, ?, ?)

-- name: consented
-- Parameters: the client, user ids as a JSON array.
SELECT user_id FROM oauth_consent WHERE client_id = ? AND user_id IN (SELECT value FROM json_each(?))

-- name: marked
-- One parameter: identifiers as a JSON array.
SELECT identifier FROM verification WHERE identifier IN (SELECT value FROM json_each(?))

-- name: remove_consents
-- One parameter: ids as a JSON array.
DELETE FROM oauth_consent WHERE id IN (SELECT value FROM json_each(?))
