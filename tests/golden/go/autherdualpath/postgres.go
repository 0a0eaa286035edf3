package autherdualpath

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"
)

const (
	// One row in any case: a tombstone counts without an identity as well.
	byAutherID = `
SELECT EXISTS (SELECT FROM migrator_tombstone t WHERE t.auther_id = $2 AND t.until > now()),
       i.user_pk, i.auther_id, i.home = 'auther', i.pinned_reason IS NOT NULL, i.auth_valid_after
FROM (VALUES (1)) one LEFT JOIN migrator_identity i ON i.auther_id = $2 AND i.source = $1`
	// Through jsonb, so that a column that this application does not have (or that was removed) is simply not there. The
	// key is compared in the column's own type: '2abc' is an error, never user 2.
	account = `
SELECT j.row ->> 'locked_at', coalesce(j.row ->> 'failed_attempts', '0'), j.row ? 'confirmed_at',
       j.row ->> 'confirmed_at', j.row ->> 'deleted_at'
FROM "public"."users" u, LATERAL (SELECT to_jsonb(u) AS row) j WHERE u."id" = $1`
	newUser      = `SELECT outcome FROM migrator_new_user($1, $2, $3, $4, $5)`
	signedIn     = `UPDATE migrator_identity SET last_auther_at = now() WHERE source = $1 AND auther_id = $2`
	keepToken    = `INSERT INTO migrator_token (handle_hash, sealed, expires_at) VALUES ($1, $2, $3)`
	expireTokens = `DELETE FROM migrator_token WHERE expires_at < now()`
	loadToken    = `SELECT sealed FROM migrator_token WHERE handle_hash = $1 AND expires_at > now()`
	dropToken    = `DELETE FROM migrator_token WHERE handle_hash = $1`
	beat         = `
INSERT INTO migrator_instance (instance, build, baked, stage, epoch, source, legacy_capable, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now())
ON CONFLICT (instance) DO UPDATE SET build = excluded.build, baked = excluded.baked, stage = excluded.stage,
       epoch = excluded.epoch, source = excluded.source, legacy_capable = excluded.legacy_capable,
       seen_at = excluded.seen_at`
)

// Account is what decides about an account; times as PostgreSQL writes them, in JSON or as text.
type Account struct {
	LockedAt, ConfirmedAt, DeletedAt sql.NullString
	FailedAttempts                   int
	Confirmable                      bool // there is a column confirmed_at
}

// DeviseRules judge an account as Devise would; set your own numbers.
type DeviseRules struct {
	UnlockIn        time.Duration // 0 when only an e-mail or a person unlocks
	MaximumAttempts int
}

// State gives the account's state.
func (d DeviseRules) State(a Account, now time.Time) AccountState {
	switch {
	case a.DeletedAt.Valid:
		return Deleted
	case a.Confirmable && !a.ConfirmedAt.Valid:
		return Unconfirmed
	case !a.LockedAt.Valid || d.isOver(a.LockedAt.String, now):
		return Active
	case a.FailedAttempts >= d.MaximumAttempts:
		return LockedByAttempts
	}
	return Locked
}

func (d DeviseRules) isOver(lockedAt string, now time.Time) bool {
	if d.UnlockIn == 0 {
		return false
	}
	// Rails keeps UTC in columns without a zone.
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05-07", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, lockedAt); err == nil {
			return !at.Add(d.UnlockIn).After(now)
		}
	}
	return false
}

// Postgres is the application's primary database, not a replica.
type Postgres struct {
	DB     *sql.DB
	Source string
	// Judge turns an account's columns into its state.
	Judge func(Account, time.Time) AccountState
}

// NewPostgres gives the store with Devise's own defaults.
func NewPostgres(db *sql.DB, settings Settings) *Postgres {
	rules := DeviseRules{UnlockIn: time.Hour, MaximumAttempts: 20}
	return &Postgres{DB: db, Source: settings.Source, Judge: rules.State}
}

// ByAutherID implements People.
func (p *Postgres) ByAutherID(ctx context.Context, autherID string) (*Identity, error) {
	return p.find(ctx, byAutherID, autherID)
}

func (p *Postgres) find(ctx context.Context, query, key string) (*Identity, error) {
	var (
		tombstone     bool
		userPK, id    sql.NullString
		moved, pinned sql.NullBool
		validFrom     sql.NullTime
	)
	row := p.DB.QueryRowContext(ctx, query, p.Source, key)
	err := row.Scan(&tombstone, &userPK, &id, &moved, &pinned, &validFrom)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case tombstone:
		return &Identity{AutherID: key, State: Deleted}, nil
	case !userPK.Valid:
		return nil, nil
	}
	state, err := p.state(ctx, userPK.String)
	return &Identity{
		UserPK: userPK.String, AutherID: id.String, AtAuther: moved.Bool, Pinned: pinned.Bool,
		ValidFrom: validFrom.Time, State: state,
	}, err
}

func (p *Postgres) state(ctx context.Context, userPK string) (AccountState, error) {
	var (
		a        Account
		attempts string
	)
	row := p.DB.QueryRowContext(ctx, account, userPK)
	err := row.Scan(&a.LockedAt, &attempts, &a.Confirmable, &a.ConfirmedAt, &a.DeletedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return Deleted, nil
	}
	if err != nil {
		return "", err
	}
	a.FailedAttempts, _ = strconv.Atoi(attempts)
	return p.Judge(a, time.Now()), nil
}

// Create implements People, by the function that the migration put into the database: one statement, so that fifty
// first requests make one user.
func (p *Postgres) Create(ctx context.Context, n Newcomer) (Created, error) {
	var outcome Created
	err := p.DB.QueryRowContext(ctx, newUser, p.Source, n.AutherID, n.Email, n.Name, n.EmailVerified).Scan(&outcome)
	return outcome, err
}

// SignedIn implements People.
func (p *Postgres) SignedIn(ctx context.Context, autherID string) error {
	return p.exec(ctx, signedIn, p.Source, autherID)
}

// Keep implements Tokens; expired ones go when one is written.
func (p *Postgres) Keep(ctx context.Context, handleHash, sealed string, expires time.Time) error {
	if err := p.exec(ctx, expireTokens); err != nil {
		return err
	}
	return p.exec(ctx, keepToken, handleHash, sealed, expires)
}

// Load implements Tokens.
func (p *Postgres) Load(ctx context.Context, handleHash string) (string, error) {
	var sealed string
	err := p.DB.QueryRowContext(ctx, loadToken, handleHash).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return sealed, err
}

// Drop implements Tokens.
func (p *Postgres) Drop(ctx context.Context, handleHash string) error {
	return p.exec(ctx, dropToken, handleHash)
}

// Beat implements Instances.
func (p *Postgres) Beat(ctx context.Context, b Beat) error {
	return p.exec(ctx, beat, b.Instance, b.Build, b.Baked, b.Stage, b.Epoch, b.Source, b.LegacyCapable)
}

func (p *Postgres) exec(ctx context.Context, statement string, values ...interface{}) error {
	_, err := p.DB.ExecContext(ctx, statement, values...)
	return err
}
