package autherdualpath

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

var everyStage = []Stage{StageLegacy, StageDual, StageDrain, StageAuther}

func TestSessionsAndTokensAreAcceptedSideBySide(t *testing.T) {
	for _, stage := range everyStage {
		b := newBench(t, stage)
		token := b.auther.token("alice", nil)
		b.expect(get("/"), "200 nobody")
		b.expect(bearer(token), "200 alice by header")
		b.jar["session"] = "bob"
		if stage == StageAuther {
			b.expect(get("/"), refusal401("legacy_ended"))
			continue
		}
		b.expect(get("/"), "200 bob by session")
		b.expect(bearer(b.auther.token("bob", nil)), "200 bob by header")
		b.expect(bearer(token), refusal401("auth_conflict"))
		b.jar["auther_id_token"] = token
		b.expect(get("/"), refusal401("auth_conflict"))
		b.expect(visit("/"), "303 /auth/conflict")
	}
}

func TestABadHeaderNeverFallsThroughToTheSession(t *testing.T) {
	b := newBench(t, StageDual)
	b.jar["session"] = "bob"
	good := b.auther.token("alice", nil)
	b.jar["auther_id_token"] = good
	for name, claims := range map[string]object{
		"expired":        {"exp": 1},
		"for another":    {"aud": "another"},
		"without exp":    {"exp": nil},
		"without a sub":  {"sub": nil},
		"not yet valid":  {"nbf": 4_000_000_000},
		"locked account": {"sub": "locked"},
	} {
		if got := b.said(bearer(b.auther.token("alice", claims))); got != refusal401("invalid_token") {
			t.Errorf("%s: %s", name, got)
		}
	}
	b.expect(bearer(b.auther.token("mallory", nil)), `409 {"error":"identity_unlinked"}`)
	b.expect(bearer(b.auther.token("alice", object{"iss": "https://elsewhere.example"})), refusal401("foreign_bearer"))
	b.expect(get("/", "Authorization", "Bearer "+good, "Authorization", "Bearer "+good), refusal401("foreign_bearer"))
	b.expect(get("/", "Authorization", "Basic eDp5, Bearer "+good), refusal401("foreign_bearer"))
}

func TestACookieWhoseTimeIsOverIsAsAbsent(t *testing.T) {
	b := newBench(t, StageDual)
	b.jar["session"] = "bob"
	b.jar["auther_id_token"] = b.auther.token("alice", object{"exp": 1})
	b.expect(get("/"), "200 bob by session")
	if _, there := b.jar["auther_id_token"]; there {
		t.Error("the cookie is still there")
	}
}

func TestAForgedOrDoubledCookieSpoilsOneRequest(t *testing.T) {
	b := newBench(t, StageDual)
	b.jar["session"], b.jar["auther_id_token"] = "bob", newAuther(t).token("alice", object{"iss": b.auther.URL})
	b.expect(get("/"), refusal401("invalid_token"))
	b.expect(get("/"), "200 bob by session")
	delete(b.jar, "session")
	good := "auther_id_token=" + b.auther.token("alice", nil)
	b.expect(get("/", "Cookie", good+"; "+good), refusal401("invalid_token"))
	b.expect(get("/", "Cookie", good, "Cookie", good), refusal401("invalid_token"))
}

func TestForeignBearersReachTheirOwnAuthenticatorAlone(t *testing.T) {
	b := newBench(t, StageDual)
	b.jar["session"], b.jar["auther_id_token"], b.jar["theme"] = "bob", b.auther.token("alice", nil), "dark"
	seen := ""
	app := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("Cookie") })
	r := get("/api/notes", "Authorization", "Bearer personal-token")
	for name, value := range b.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	b.shim.Middleware(app).ServeHTTP(httptest.NewRecorder(), r)
	if seen != "theme=dark" {
		t.Errorf("the application saw the cookies %q", seen)
	}
	for _, path := range []string{"/apiary", "/api/../members", "//api/notes", "/api%2Fnotes", "/members"} {
		b.expect(get(path, "Authorization", "Bearer personal-token"), refusal401("foreign_bearer"))
	}
}

func TestSignedOutEverywhere(t *testing.T) {
	b := newBench(t, StageDual)
	token := b.auther.token("alice", nil)
	b.expect(bearer(token), "200 alice by header")
	person := b.store.people["alice"]
	person.AtAuther, person.ValidFrom = true, time.Now().Add(2*time.Second)
	b.expect(bearer(token), refusal401("invalid_token"))
	b.jar["session"] = "alice"
	b.expect(get("/"), refusal401("legacy_ended"))
}

func TestAPinnedUserKeepsTheSessionAndCannotUseAuther(t *testing.T) {
	b := newBench(t, StageDrain)
	b.store.people["alice"].Pinned = true
	b.expect(bearer(b.auther.token("alice", nil)), refusal401("invalid_token"))
	b.jar["session"] = "alice"
	b.expect(visit("/"), "200 alice by session")
}

func TestADatabaseThatDoesNotAnswerIs503AndKeepsTheCookie(t *testing.T) {
	b := newBench(t, StageDual)
	b.store.down = true
	b.jar["auther_id_token"] = b.auther.token("alice", nil)
	b.expect(get("/"), `503 {"error":"verification_unavailable"}`)
	if _, there := b.jar["auther_id_token"]; !there {
		t.Error("the cookie is gone")
	}
	delete(b.jar, "auther_id_token")
	b.jar["session"] = "bob"
	b.expect(get("/"), "200 bob by session")
}

func TestAStageThatNobodyKnowsIs503(t *testing.T) {
	b := newBench(t, StageDual)
	b.shim.stage.current.Store(nil)
	b.jar["session"] = "bob"
	b.expect(get("/"), `503 {"error":"verification_unavailable"}`)
	b.expect(get("/health"), "200 nobody")
}

func TestHeadersThatNameAUserAreNobodysBusiness(t *testing.T) {
	b := newBench(t, StageDual)
	b.expect(get("/", "X-User", "alice", "X-Auther-User", "alice", "Remote-User", "alice"), "200 nobody")
}

func TestCSRFIsLeftOutForTheHeaderOnly(t *testing.T) {
	b := newBench(t, StageDual)
	token := b.auther.token("alice", nil)
	may := false
	app := b.shim.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { may = MaySkipCSRF(r) }))
	app.ServeHTTP(httptest.NewRecorder(), bearer(token))
	if !may {
		t.Error("asked for although the header was used")
	}
	app.ServeHTTP(httptest.NewRecorder(), get("/", "Cookie", "auther_id_token="+token))
	if may {
		t.Error("left out for a cookie")
	}
}

// hijackable stands for a server's own ResponseWriter.
type hijackable struct {
	http.ResponseWriter
	http.Flusher
	http.Hijacker
}

func TestTheResponseWriterStaysWhatItIs(t *testing.T) {
	b := newBench(t, StageDual)
	app := b.shim.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, ok := w.(http.Hijacker); !ok {
			t.Error("no Hijacker any more")
		}
	}))
	app.ServeHTTP(hijackable{ResponseWriter: httptest.NewRecorder()}, get("/"))
}

func TestEachDecisionIsOneLineOfJSONWithoutNames(t *testing.T) {
	b := newBench(t, StageDual)
	b.jar["session"] = "bob"
	b.do(bearer(b.auther.token("alice", nil)))
	line := strings.TrimSpace(b.logged())
	if !strings.HasPrefix(line, `{"event":"auth","path":"both","outcome":"refused","stage":"dual","reason":"conflict","client":"app","parties":[`) {
		t.Errorf("the log says %s", line)
	}
	if strings.Contains(line, "alice") || strings.Contains(line, "bob") {
		t.Errorf("the log names somebody: %s", line)
	}
}

func TestThePathsThatReturnToAreOurs(t *testing.T) {
	for _, path := range []string{"//evil.example", `/\evil.example`, "https://evil.example", "", "/a\nb", "/a b", "/auth/auther/start"} {
		if got := SafeReturnPath(path, "/home"); got != "/home" {
			t.Errorf("%q leads to %q", path, got)
		}
	}
	if got := SafeReturnPath("/members?page=2", "/home"); got != "/members?page=2" {
		t.Errorf("got %q", got)
	}
}

// careless is an adapter whose fixture panics.
type careless struct{ testSessions }

func (careless) Fixture() (*http.Request, error) { panic("not yet") }

func TestAPanicOfTheAdapterEndsNoProcessAndTheBackgroundEndsWithItsContext(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	b, config := testConfig(t)
	b.auther.Close()
	config.Sessions = careless{}
	config.Settings.Namespace, config.Settings.StagePublicKey = "test", b64(make([]byte, 32))
	if _, err := New(ctx, config); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for !strings.Contains(b.logged(), "panic: not yet") && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if !time.Now().Before(deadline) {
		t.Errorf("%d goroutines, %d before; the log says %s", runtime.NumGoroutine(), before, b.logged())
	}
}
