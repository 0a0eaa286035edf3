package autherdualpath

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Nothing has to run for these tests: people are in memory, and Auther is a server of the test's own.

const (
	testClient = "test-client"
	testOrigin = "http://127.0.0.1:8080"
)

// object is JSON.
type object = map[string]interface{}

// testAuther is an issuer with a key set, a token endpoint and the plugin.
type testAuther struct {
	*httptest.Server
	key     ed25519.PrivateKey
	fetches int32
	broken  atomic.Bool
	sub     string // who signs in next
	nonce   string
	claims  object      // of the next id_token
	valid   atomic.Bool // what verify says
}

func newAuther(t testing.TB) *testAuther {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &testAuther{key: key, sub: "alice"}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *testAuther) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer interface{}
	switch r.URL.Path {
	case "/jwks":
		atomic.AddInt32(&a.fetches, 1)
		answer = object{"keys": []interface{}{a.jwk("k")}}
	case "/token":
		claims := object{"nonce": a.nonce}
		for name, value := range a.claims {
			claims[name] = value
		}
		answer = map[string]string{"id_token": a.token(a.sub, claims)}
	case "/migrator/verify":
		answer = map[string]bool{"valid": a.valid.Load()}
	case "/migrator/logout":
		answer = map[string]int{"ended": 1}
	case "/migrator/exchange/ticket":
		answer = map[string]string{"ticket": "a-ticket"}
	case "/migrator/reset-ticket":
		answer = map[string]string{"url": "https://auther.example/reset"}
	}
	if a.broken.Load() || answer == nil {
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (a *testAuther) jwk(kid string) map[string]string {
	x := b64(a.key.Public().(ed25519.PublicKey))
	return map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": x}
}

// token gives a token in Auther's shape: iat in milliseconds. A claim of nil is left out.
func (a *testAuther) token(sub string, claims object) string {
	all := object{
		"iss": a.URL, "aud": testClient, "sub": sub, "iat": time.Now().UnixMilli(), "exp": time.Now().Unix() + 600,
		"email": sub + "@example.org",
	}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	return a.sign(object{"alg": "EdDSA", "kid": "k"}, all)
}

func (a *testAuther) sign(header, claims interface{}) string {
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	return a.signBytes(h, c)
}

func (a *testAuther) signBytes(header, claims []byte) string {
	input := b64(header) + "." + b64(claims)
	return input + "." + b64(ed25519.Sign(a.key, []byte(input)))
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// memory is a Store: alice, bob and locked, under the same key on both sides.
type memory struct {
	mu     sync.Mutex
	people map[string]*Identity
	tokens map[string]string
	moved  []string
	beats  chan Beat
	down   bool
	create Created
}

func newMemory() *memory {
	m := &memory{people: make(map[string]*Identity), tokens: make(map[string]string), beats: make(chan Beat, 1), create: EmailTaken}
	for _, name := range []string{"alice", "bob", "locked"} {
		m.people[name] = &Identity{UserPK: name, AutherID: name, State: Active}
	}
	m.people["locked"].State = Locked
	return m
}

func (m *memory) ByAutherID(ctx context.Context, id string) (*Identity, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down || ctx.Err() != nil {
		return nil, io.ErrUnexpectedEOF
	}
	found, ok := m.people[id]
	if !ok {
		return nil, nil
	}
	person := *found
	return &person, nil
}

func (m *memory) Create(_ context.Context, n Newcomer) (Created, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.create == UserCreated {
		m.people[n.AutherID] = &Identity{UserPK: n.AutherID, AutherID: n.AutherID, State: Active}
	}
	return m.create, nil
}

func (m *memory) Drop(_ context.Context, hash string) error              { m.tokens[hash] = ""; return nil }
func (m *memory) Load(_ context.Context, hash string) (string, error)    { return m.tokens[hash], nil }
func (m *memory) Keep(_ context.Context, h, s string, _ time.Time) error { m.tokens[h] = s; return nil }

func (m *memory) SignedIn(context.Context, string) error { return nil }

// Beat keeps what was said first.
func (m *memory) Beat(_ context.Context, beat Beat) error {
	select {
	case m.beats <- beat:
	default:
	}
	return nil
}

// bench is a shim with everything around it.
type bench struct {
	t      testing.TB
	auther *testAuther
	store  *memory
	shim   *Shim
	log    *lockedLog
	jar    map[string]string
}

// testConfig gives what a shim of these tests needs, and the bench without the shim.
func testConfig(t testing.TB) (*bench, Config) {
	b := &bench{t: t, auther: newAuther(t), store: newMemory(), log: new(lockedLog), jar: make(map[string]string)}
	settings := Baked()
	settings.Issuers, settings.Audiences, settings.Algorithms = []string{b.auther.URL}, []string{testClient}, []string{"EdDSA"}
	settings.JWKSURL, settings.TokenURL = b.auther.URL+"/jwks", b.auther.URL+"/token"
	settings.AuthorizeURL, settings.PluginURL = b.auther.URL+"/authorize", b.auther.URL+"/migrator"
	settings.ClientID, settings.RedirectURI = testClient, testOrigin+"/auth/auther/callback"
	settings.ForeignPaths, settings.AfterLogin, settings.CreateUsers = []string{"/api"}, "/home", false
	return b, Config{
		Settings: settings, Store: b.store, Exempt: []string{"/health"}, Logger: log.New(b.log, "", 0),
		Environment: Environment{
			CookieSecret: strings.Repeat("c", 32), MetricsToken: "metrics", LogoutSecret: "l", JWKSCooldown: 30 * time.Second,
		},
	}
}

// lockedLog: the background logs too.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (b *bench) logged() string {
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	return b.log.text.String()
}

// application says who the user is.
func application(w http.ResponseWriter, r *http.Request) {
	user, ok := UserFrom(r.Context())
	if !ok {
		fmt.Fprint(w, "nobody")
		return
	}
	fmt.Fprintf(w, "%s by %s", user.PK, user.Credential)
}

// do sends a request with the browser's cookies and keeps what comes back.
func (b *bench) do(r *http.Request) *http.Response {
	for name, value := range b.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	recorder := httptest.NewRecorder()
	b.shim.Middleware(http.HandlerFunc(application)).ServeHTTP(recorder, r)
	answer := recorder.Result()
	for _, cookie := range answer.Cookies() {
		b.jar[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(b.jar, cookie.Name)
		}
	}
	return answer
}

// said sends a request and gives "status body", or "status location" of a redirect.
func (b *bench) said(r *http.Request) string {
	answer := b.do(r)
	if location := answer.Header.Get("Location"); location != "" {
		return fmt.Sprintf("%d %s", answer.StatusCode, location)
	}
	body, _ := io.ReadAll(answer.Body)
	return fmt.Sprintf("%d %s", answer.StatusCode, body)
}

func (b *bench) expect(r *http.Request, want string) {
	b.t.Helper()
	if got := b.said(r); got != want {
		b.t.Errorf("%s %s: got %q, want %q", r.Method, r.URL, got, want)
	}
}

func get(path string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func visit(path string) *http.Request { return get(path, "Sec-Fetch-Mode", "navigate") }

func bearer(token string) *http.Request { return get("/", "Authorization", "Bearer "+token) }

func refusal401(code string) string { return fmt.Sprintf(`401 {"error":%q}`, code) }

// signInAtAuther goes from a redirect to Auther through the callback; gives the callback's answer.
func (b *bench) signInAtAuther(location string) string {
	b.t.Helper()
	query := queryOf(b.t, location)
	b.auther.nonce = query.Get("nonce")
	return b.said(visit("/auth/auther/callback?code=c&state=" + query.Get("state")))
}

func queryOf(t testing.TB, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}
