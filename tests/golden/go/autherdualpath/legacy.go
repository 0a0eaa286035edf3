package autherdualpath

import (
	"context"
	"net/http"
	"time"
)

// Stage says where the whole migration stands.
type Stage string

// The stages, in order.
const (
	StageLegacy Stage = "legacy"
	StageDual   Stage = "dual"
	StageDrain  Stage = "drain"
	StageAuther Stage = "auther"
)

// BySession says that a request was authenticated by the application's own session or remember-me.
const BySession Credential = "session"

// LegacySession is whom the application's own session or remember-me names.
type LegacySession struct {
	UserPK string
	State  AccountState // "" counts as Active
}

// Detector sees legacy credentials without accepting them. It stays when the rest of the legacy code is gone.
type Detector interface {
	// Holds tells whether a session or remember-me of this request names a user, good or not.
	Holds(r *http.Request) bool
	// Forget takes the user out of session and remember-me in this browser, by headers on w. The rest of the session
	// (cart, CSRF token) stays, unless whole is set: then it belongs to somebody else.
	Forget(w http.ResponseWriter, r *http.Request, whole bool) error
	// Cookies names the cookies that sessions and remember-me are read from.
	Cookies() []string
	// Fixture gives a request with a session that the application's own code made in memory for a user who does not
	// exist. Once a minute it goes through Holds, so that a renamed cookie does not pass for the end of legacy use.
	Fixture() (*http.Request, error)
}

// Sessions is the application's own sign-in, written by its team. An error is an outage: the answer is 503.
type Sessions interface {
	Detector
	// Read says whom the request's session names, as the application always did; nil for nobody.
	Read(r *http.Request) (*LegacySession, error)
	// Remembered says whom a remember-me credential names, by the application's own check and without making a
	// session of it; nil for nobody. Asked only when Read gave nobody.
	Remembered(r *http.Request) (*LegacySession, error)
	// Resume makes an ordinary session of what Remembered gave, as the application always did.
	Resume(w http.ResponseWriter, r *http.Request, session *LegacySession) error
}

// Homes says where people's passwords count. Every error is an outage.
type Homes interface {
	// ByUser gives the person with this key; nil when no row links it.
	ByUser(ctx context.Context, userPK string) (*Identity, error)
	// Unwritten tells whether a change that this person made at Auther has not been written back yet.
	Unwritten(ctx context.Context, autherID string) (bool, error)
	// Move says that the person's home is Auther from now on.
	Move(ctx context.Context, autherID string) error
}

// Journal takes what no request waits for.
type Journal interface {
	// SeenOnLegacy notes who has just used a legacy session.
	SeenOnLegacy(ctx context.Context, userPKs []string) error
	// Shadow notes what Auther said to a password that the application had just accepted.
	Shadow(ctx context.Context, userPK string, matched bool, reason string) error
}

// Cookies that only the cutover has.
const (
	bucketCookie   = "migrator_bucket"
	conflictCookie = "auther_conflict"
	pauseCookie    = "auther_exchange_pause"
)

// Times and sizes of the cutover.
const (
	pauseLifetime     = 10 * time.Minute
	bucketLifetime    = 400 * 24 * time.Hour
	maxFormBytes      = 4 << 10
	stageEvery        = 250 * time.Millisecond
	seenEvery         = time.Minute
	detectorEvery     = time.Minute
	identityFreshness = 2 * time.Second
)

// Why an attempt began, beside a login and a renewal.
const (
	forExchange purpose = "exchange"
	forDoor     purpose = "door" // the password was checked at Auther already; good in stage legacy too
)
