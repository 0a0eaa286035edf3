package autherdualpath

import (
	"context"
	"errors"
	"time"
)

// AccountState is what the application's own data says about an account.
type AccountState string

// What an account can be. A lock that failed attempts imposed counts on the legacy side only for users who moved:
// else anybody could lock them out there.
const (
	Active           AccountState = "active"
	Locked           AccountState = "locked"
	LockedByAttempts AccountState = "locked_by_attempts"
	Unconfirmed      AccountState = "unconfirmed"
	Deleted          AccountState = "deleted"
)

// Credential says what a request was authenticated by.
type Credential string

// The credentials. CSRF protection may be left out for ByHeader only: a browser sends the others by itself.
const (
	ByCookie Credential = "cookie"
	ByHeader Credential = "header"
)

// User is who a request acts for.
type User struct {
	PK         string // the key of the application's own row, as text
	AutherID   string // empty for a legacy session
	Credential Credential
	Claims     Claims // of the token; zero for a legacy session
}

// Identity is a row of migrator_identity with the state of the account it links to.
type Identity struct {
	UserPK    string
	AutherID  string
	AtAuther  bool      // home is auther: the password there counts
	Pinned    bool      // may not use Auther (a second factor that Auther cannot hold, ...)
	ValidFrom time.Time // auth_valid_after: tokens issued before this second are revoked; zero: none
	State     AccountState
	movedBack bool // home is auther, but in stage legacy the password here counts
}

// disabled tells whether the account's state keeps this person away from Auther's side.
func (i *Identity) disabled() bool {
	return i.State != Active && !(i.State == LockedByAttempts && i.AtAuther)
}

// revokes tells whether a token of that time was issued before a sign-out everywhere.
func (i *Identity) revokes(issued time.Time) bool {
	return !i.ValidFrom.IsZero() && issued.Unix() < i.ValidFrom.Unix()
}

// Newcomer is what a verified token says about somebody whom nothing links yet.
type Newcomer struct {
	AutherID, Email, Name string
	EmailVerified         bool
}

// Created says what came of creating a user.
type Created string

// The outcomes of creating a user; an address that is taken is never linked by itself.
const (
	UserCreated       Created = "created"
	UserLinked        Created = "linked"
	EmailTaken        Created = "email_taken"
	Tombstone         Created = "tombstone"
	ColumnNeedsValue  Created = "column_needs_value"
	EmailClaimMissing Created = "email_missing"
)

// People looks people up. Every error is an outage.
type People interface {
	// ByAutherID gives the person with this sub; nil when no row links it. It never looks at e-mail addresses.
	ByAutherID(ctx context.Context, autherID string) (*Identity, error)
	// Create makes a user for a sub that nothing links.
	Create(ctx context.Context, newcomer Newcomer) (Created, error)
	// SignedIn notes a completed login at Auther.
	SignedIn(ctx context.Context, autherID string) error
}

// Tokens keeps id_tokens that are too large for a cookie. Every error is an outage.
type Tokens interface {
	Keep(ctx context.Context, handleHash, sealed string, expires time.Time) error
	// Load gives "" when there is no such token or it has expired.
	Load(ctx context.Context, handleHash string) (string, error)
	Drop(ctx context.Context, handleHash string) error
}

// Store is the application's database as this package uses it; Postgres is ready to use.
type Store interface {
	People
	Tokens
	Instances
	Homes
	Journal
}

// errUnavailable: nobody can say now whether a credential is good. The answer is 503, never 401.
var errUnavailable = errors.New("verification unavailable")

// unavailable is an errUnavailable that knows when to try again.
type unavailable struct {
	why   string
	retry time.Duration
}

func (u *unavailable) Error() string        { return "verification unavailable: " + u.why }
func (u *unavailable) Is(target error) bool { return target == errUnavailable }

// retryAfter gives how long to wait after an outage.
func retryAfter(err error) time.Duration {
	var u *unavailable
	if errors.As(err, &u) && u.retry > time.Second {
		return u.retry
	}
	return time.Second
}
