package autherdualpath

import (
	"context"

	"github.com/lib/pq"
)

const (
	byUser = `
SELECT false, i.user_pk, i.auther_id, i.home = 'auther', i.pinned_reason IS NOT NULL, i.auth_valid_after
FROM migrator_identity i WHERE i.user_pk = $2 AND i.source = $1`
	unwritten = `
SELECT EXISTS (SELECT FROM migrator_write_back
               WHERE auther_id = $1 AND (state <> 'done' OR acknowledged_at IS NULL))`
	moveHome     = `UPDATE migrator_identity SET home = 'auther', last_auther_at = now() WHERE source = $1 AND auther_id = $2`
	seenOnLegacy = `UPDATE migrator_identity SET last_legacy_at = now() WHERE source = $1 AND user_pk = ANY($2)`
	shadowed     = `
INSERT INTO migrator_shadow (source, user_pk, matched, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (source, user_pk) DO UPDATE SET matched = excluded.matched, reason = excluded.reason,
       checks = migrator_shadow.checks + 1, seen_at = now()`
)

// ByUser implements Homes.
func (p *Postgres) ByUser(ctx context.Context, userPK string) (*Identity, error) {
	return p.find(ctx, byUser, userPK)
}

// Unwritten implements Homes; the table is made with the first write-back.
func (p *Postgres) Unwritten(ctx context.Context, autherID string) (bool, error) {
	var there, waits bool
	err := p.DB.QueryRowContext(ctx, `SELECT to_regclass('migrator_write_back') IS NOT NULL`).Scan(&there)
	if err != nil || !there {
		return false, err
	}
	err = p.DB.QueryRowContext(ctx, unwritten, autherID).Scan(&waits)
	return waits, err
}

// Move implements Homes.
func (p *Postgres) Move(ctx context.Context, autherID string) error {
	return p.exec(ctx, moveHome, p.Source, autherID)
}

// SeenOnLegacy implements Journal.
func (p *Postgres) SeenOnLegacy(ctx context.Context, userPKs []string) error {
	return p.exec(ctx, seenOnLegacy, p.Source, pq.Array(userPKs))
}

// Shadow implements Journal.
func (p *Postgres) Shadow(ctx context.Context, userPK string, matched bool, reason string) error {
	return p.exec(ctx, shadowed, p.Source, userPK, matched, reason)
}
