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

-- name: marked
-- One parameter: identifiers as a JSON array. Others may choose what they write into `identifier`, but not the id.
SELECT identifier FROM verification WHERE id = identifier AND identifier IN (SELECT value FROM json_each(?))

-- name: add_consents
-- The last but one parameter: pairs of consent and user as a JSON array; the last: the client again.
INSERT INTO oauth_consent (id, client_id, user_id, scopes, created_at, updated_at, consent_given)
SELECT json_extract(n.value, '$[0]'), ?, json_extract(n.value, '$[1]'), ?, ?, ?, 1 FROM json_each(?) AS n
WHERE NOT EXISTS (
  SELECT 1 FROM oauth_consent AS c WHERE c.client_id = ? AND c.user_id = json_extract(n.value, '$[1]')
)
ON CONFLICT (id) DO NOTHING

-- name: remove_consents
-- One parameter: ids as a JSON array.
DELETE FROM oauth_consent WHERE id IN (SELECT value FROM json_each(?))
