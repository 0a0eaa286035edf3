// Command go is the Go target's in-process benchmark; bench_shim runs it beside a freshly generated package.
package main

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
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	jose "gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/jwt"

	"autherdualpath"
)

const (
	pairs     = 3000
	cacheSize = 10_000
)

var person = autherdualpath.Identity{UserPK: "7", AutherID: strings.Repeat("u", 32), State: autherdualpath.Active}

// store is the lookup of both sides: the same constant.
type store struct{ autherdualpath.Store }

func (store) ByAutherID(context.Context, string) (*autherdualpath.Identity, error) {
	return &person, nil
}
func (store) ByUser(context.Context, string) (*autherdualpath.Identity, error) { return &person, nil }
func (store) SeenOnLegacy(context.Context, []string) error                     { return nil }
func (store) Beat(context.Context, autherdualpath.Beat) error                  { return nil }

// sessions reads a session cookie as cheaply as possible.
type sessions struct{ autherdualpath.Sessions }

func (sessions) Holds(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Cookie"), "session=")
}

func (s sessions) Read(r *http.Request) (*autherdualpath.LegacySession, error) {
	if !s.Holds(r) {
		return nil, nil
	}
	return &autherdualpath.LegacySession{UserPK: "7"}, nil
}

func (sessions) Remembered(*http.Request) (*autherdualpath.LegacySession, error) { return nil, nil }

func (sessions) Fixture() (*http.Request, error) { return request("Cookie", "session=7"), nil }

func application(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

// issuer signs tokens and serves the key.
type issuer struct {
	*httptest.Server
	key ed25519.PrivateKey
}

func newIssuer() *issuer {
	public, private, err := ed25519.GenerateKey(nil)
	must(err)
	i := &issuer{key: private}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "k1", Algorithm: "EdDSA"}}}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(set)
	}))
	return i
}

func (i *issuer) token(number int) string {
	now := time.Now().Unix()
	claims, err := json.Marshal(map[string]interface{}{
		"iss": "https://id.example.org", "aud": "club", "sub": person.AutherID, "iat": now, "exp": now + 172_800,
		"nonce": fmt.Sprintf("%043d", number), "acr": "urn:mace:incommon:iap:silver", "name": "Alice Example",
		"given_name": "Alice", "family_name": "Example", "email": "alice@example.org", "email_verified": true,
	})
	must(err)
	input := b64([]byte(`{"alg":"EdDSA","kid":"k1"}`)) + "." + b64(claims)
	return input + "." + b64(ed25519.Sign(i.key, []byte(input)))
}

// verify is what the bare library needs for the same token.
func (i *issuer) verify(text string) {
	token, err := jwt.ParseSigned(text)
	must(err)
	var claims jwt.Claims
	must(token.Claims(i.key.Public(), &claims))
	must(claims.ValidateWithLeeway(jwt.Expected{
		Issuer: "https://id.example.org", Audience: jwt.Audience{"club"}, Time: time.Now(),
	}, 30*time.Second))
}

func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/api/members?page=2", nil)
	for name, value := range map[string]string{
		"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
		"Accept":     "application/json", "Accept-Encoding": "gzip, deflate, br", "Accept-Language": "en",
		"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "192.0.2.7",
		"X-Request-Id": "7f7a0c3c9a2b4f0e8d9c",
	} {
		r.Header.Set(name, value)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func bearer(token string) *http.Request { return request("Authorization", "Bearer "+token) }

// measure times both, each first in every other pair; prepare makes one pair's work.
func measure(prepare func(number int) (bare, shim func())) [][2]int64 {
	found := make([][2]int64, pairs)
	for number := range found {
		bare, shim := prepare(number)
		if number%2 == 0 {
			found[number] = [2]int64{timed(bare), timed(shim)}
		} else {
			took := timed(shim)
			found[number] = [2]int64{timed(bare), took}
		}
	}
	return found
}

func timed(work func()) int64 {
	began := time.Now()
	work()
	return time.Since(began).Nanoseconds()
}

func main() {
	i := newIssuer()
	settings := autherdualpath.Baked()
	settings.JWKSURL = i.URL
	environment, err := autherdualpath.ReadEnvironment()
	must(err)
	shim, err := autherdualpath.New(context.Background(), autherdualpath.Config{
		Settings: settings, Environment: environment, Store: store{}, Sessions: sessions{},
		// How fast a disk is, is not the shim's.
		Logger: log.New(io.Discard, "", 0),
	})
	must(err)
	app := http.HandlerFunc(application)
	guarded := shim.Middleware(app)
	serve := func(h http.Handler, r *http.Request) {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			must(fmt.Errorf("answered %d: %s", w.Code, w.Body))
		}
	}
	for number := 0; number < 300; number++ { // warm
		serve(guarded, bearer(i.token(-1-number)))
		i.verify(i.token(-1000 - number))
	}
	people, legacy, seen := store{}, sessions{}, i.token(0)
	result := map[string]interface{}{
		"library": "go-jose 2.6 (" + runtime.Version() + ")",
		"fresh": measure(func(number int) (func(), func()) {
			text := i.token(number)
			plain, with := request(), bearer(text)
			return func() {
				i.verify(text)
				_, _ = people.ByAutherID(context.Background(), person.AutherID)
				serve(app, plain)
			}, func() { serve(guarded, with) }
		}),
		"cached": measure(func(int) (func(), func()) {
			plain, with := request(), bearer(seen)
			return func() {
				_, _ = people.ByAutherID(context.Background(), person.AutherID)
				serve(app, plain)
			}, func() { serve(guarded, with) }
		}),
		"legacy": measure(func(int) (func(), func()) {
			plain, with := request("Cookie", "theme=dark; session=7; consent=1"), request("Cookie", "theme=dark; session=7; consent=1")
			return func() {
				_, _ = legacy.Read(plain)
				serve(app, plain)
			}, func() { serve(guarded, with) }
		}),
	}
	var memory []int
	for turn := 1; turn <= 3; turn++ {
		for number := 0; number < cacheSize; number++ {
			serve(guarded, bearer(i.token(turn*1_000_000+number)))
		}
		memory = append(memory, residentKiB())
	}
	result["memory_kib"] = memory
	must(json.NewEncoder(os.Stdout).Encode(result))
}

// residentKiB is what the operating system counts, after a collection.
func residentKiB() int {
	debug.FreeOSMemory() // collects first
	text, err := os.ReadFile("/proc/self/statm")
	must(err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	must(err)
	return pages * os.Getpagesize() / 1024
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
