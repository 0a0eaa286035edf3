package autherdualpath

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

// Paths that this package answers itself, beside that of the redirect URI.
const (
	startPath   = "/auth/auther/start"
	logoutPath  = "/auth/auther/logout"
	metricsPath = "/migrator/metrics"
)

// Config is what New needs.
type Config struct {
	Settings    Settings
	Environment Environment
	// DB is the application's primary database; Store replaces it, e.g. in tests.
	DB    *sql.DB
	Store Store
	// Exempt are exact paths that nothing is decided for, e.g. a health check.
	Exempt []string
	// Logger takes one JSON line per decision; standard error if nil.
	Logger *log.Logger
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Shim decides who requests act for. Make one per process with New, and put Middleware around everything that looks at
// users.
type Shim struct {
	settings Settings
	env      Environment
	store    Store
	exempt   map[string]bool
	own      map[string]map[string]ownHandler
	log      *log.Logger
	now      func() time.Time

	verifier *tokenVerifier
	counters *counters
	auther   *http.Client
	attempts *sealer
}

// New makes a shim. Its background work ends with ctx.
func New(ctx context.Context, c Config) (*Shim, error) {
	if err := c.Settings.validate(); err != nil {
		return nil, err
	}
	if len(c.Environment.CookieSecret) < minCookieSecret {
		return nil, fmt.Errorf("autherdualpath: MIGRATOR_COOKIE_SECRET needs at least %d bytes", minCookieSecret)
	}
	s := &Shim{
		settings: c.Settings, env: c.Environment, store: c.Store, exempt: make(map[string]bool), log: c.Logger, now: c.Now,
		auther: newClient(), attempts: newSealer("attempt", c.Environment.CookieSecret),
	}
	if s.store == nil && c.DB != nil {
		s.store = NewPostgres(c.DB, c.Settings)
	}
	if s.store == nil {
		return nil, errors.New("autherdualpath: Config needs DB or Store")
	}
	if s.log == nil {
		s.log = log.New(os.Stderr, "", 0)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.env.JWKSCooldown == 0 {
		s.env.JWKSCooldown = 30 * time.Second
	}
	for _, path := range c.Exempt {
		s.exempt[path] = true
	}
	s.own = s.ownRoutes()
	s.counters = newCounters(s.log, s.beat)
	keys := &keySet{
		url: s.settings.JWKSURL, algorithms: s.settings.Algorithms, cooldown: s.env.JWKSCooldown, client: s.auther, now: s.now,
		onFetch: func(result string) { s.counters.fetches.WithLabelValues(result).Inc() },
	}
	s.verifier = &tokenVerifier{settings: &s.settings, keys: keys, cache: newClaimsCache(), now: s.now}
	go s.keepBeating(ctx)
	return s, nil
}

// newClient asks Auther: no redirects (the keys come from the configured place), nothing compressed (a few bytes of
// gzip unpack to gigabytes before anybody counts them). Each call brings its own deadline.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// passage is what a request carries through the application.
type passage struct {
	shim *Shim
	user *User
}

// contextKey is unexported, so that nobody else can put a user into a context.
type contextKey struct{}

// UserFrom says who a request acts for; ask this instead of your session.
func UserFrom(ctx context.Context) (User, bool) {
	p, ok := ctx.Value(contextKey{}).(*passage)
	if !ok || p.user == nil {
		return User{}, false
	}
	return *p.user, true
}

// MaySkipCSRF tells whether a request was authenticated by the Authorization header alone: a browser sends the other
// credentials by itself.
func MaySkipCSRF(r *http.Request) bool {
	user, ok := UserFrom(r.Context())
	return ok && user.Credential == ByHeader
}

type ownHandler func(http.ResponseWriter, *http.Request, *passage)

// serveOwn answers this package's own paths.
func (s *Shim) serveOwn(w http.ResponseWriter, r *http.Request, p *passage) bool {
	methods, ours := s.own[r.URL.Path]
	if !ours {
		return false
	}
	handle, ok := methods[r.Method]
	if !ok {
		writeError(w, http.StatusMethodNotAllowed, "method_not_allowed")
		return true
	}
	handle(w, r, p)
	return true
}

func (s *Shim) serveMetrics(w http.ResponseWriter, r *http.Request) {
	given := r.Header["Authorization"]
	if s.env.MetricsToken == "" || len(given) != 1 || !sameText(given[0], "Bearer "+s.env.MetricsToken) {
		writeError(w, http.StatusNotFound, "not_found")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	s.counters.exposed.ServeHTTP(w, r)
}

// sameText compares secrets; hashed first, so that not even the length shows in the time.
func sameText(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
