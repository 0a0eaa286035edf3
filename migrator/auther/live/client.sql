-- name: client
SELECT name, redirect_ur_ls, type, disabled, client_secret FROM oauth_application WHERE client_id = ?

-- name: insert_client
-- client_id in the id keeps two runs from making two rows.
INSERT INTO oauth_application (id, name, client_id, client_secret, redirect_ur_ls, type, disabled, created_at, updated_at)
VALUES (?, ?, ?, NULL, ?, ?, 0, ?, ?)

-- name: update_client
-- The last two parameters: what was there, so that somebody else's change is not undone.
UPDATE oauth_application SET name = ?, redirect_ur_ls = ?, type = ?, disabled = 0, updated_at = ?
WHERE client_id = ? AND redirect_ur_ls IS ?

-- name: consented
-- Parameters: the client, user ids as a JSON array.
SELECT user_id FROM oauth_consent WHERE client_id = ? AND user_id IN (SELECT value FROM json_each(?))

-- name: marked
-- One parameter: identifiers as a JSON array.
SELECT identifier FROM verification WHERE identifier IN (SELECT value FROM json_each(?))

-- name: remove_consents
-- One parameter: ids as a JSON array.
DELETE FROM oauth_consent WHERE id IN (SELECT value FROM json_each(?))
