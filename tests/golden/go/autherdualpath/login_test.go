package autherdualpath

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestALoginEndsTheLegacySessionMovesTheHomeAndComesBack(t *testing.T) {
	b := newBench(t, StageDual)
	b.jar["session"] = "bob"
	begun := b.do(visit("/auth/auther/start?return_to=/members")).Header.Get("Location")
	query := queryOf(t, begun)
	if query.Get("code_challenge_method") != "S256" || query.Get("scope") != "openid profile email" {
		t.Errorf("authorize is asked with %v", query)
	}
	if got := b.signInAtAuther(begun); got != "303 /members" {
		t.Fatal(got)
	}
	if _, there := b.jar["session"]; there || len(b.store.moved) != 1 {
		t.Errorf("the legacy session is there: %v; moved: %v", there, b.store.moved)
	}
	b.expect(get("/"), "200 alice by cookie")
	again := "/auth/auther/callback?code=c&state=" + query.Get("state")
	if got := b.said(visit(again)); !strings.HasPrefix(got, "400") {
		t.Errorf("an attempt was good twice: %s", got)
	}
}

func TestAnExpiredCookieIsRenewedForTheSamePersonOnly(t *testing.T) {
	for sub, want := range map[string]string{"alice": "303 /members", "bob": "403"} {
		b := newBench(t, StageDual)
		b.jar["auther_id_token"] = b.auther.token("alice", object{"exp": 1})
		renew := b.do(visit("/members")).Header.Get("Location")
		begun := b.do(visit(renew)).Header.Get("Location")
		b.auther.sub = sub
		if got := b.signInAtAuther(begun); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", sub, got)
		}
		if _, there := b.jar["auther_id_token"]; there != (sub == "alice") {
			t.Errorf("%s: there is a token: %v", sub, there)
		}
	}
}

func TestRenewalHasItsLimits(t *testing.T) {
	expired := func(stage Stage) *bench {
		b := newBench(t, stage)
		b.jar["auther_id_token"] = b.auther.token("alice", object{"exp": 1})
		return b
	}
	expired(StageDual).expect(get("/"), "200 nobody")
	expired(StageLegacy).expect(visit("/"), "200 nobody")
	b := expired(StageDual)
	b.jar["session"] = "bob"
	b.expect(visit("/"), "200 bob by session")
	b = expired(StageDual)
	for i := 0; i < maxRenewals; i++ {
		b.expect(visit("/"), "303 /auth/auther/start?renew=1&return_to=%2F")
	}
	b.expect(visit("/"), "200 nobody")
}

func TestASessionIsExchangedInDrain(t *testing.T) {
	b := newBench(t, StageDrain)
	b.jar["session"] = "alice"
	b.expect(get("/"), "200 alice by session")
	begun := b.do(visit("/members")).Header.Get("Location")
	if !strings.HasPrefix(begun, b.auther.URL+"/migrator/exchange/start?") {
		t.Fatalf("led to %s", begun)
	}
	query := queryOf(t, begun)
	if query.Get("to") != testOrigin+"/auth/auther/exchange" {
		t.Errorf("comes back to %s", query.Get("to"))
	}
	redeem := b.do(visit("/auth/auther/exchange?nonce_hash=h&state=" + query.Get("state"))).Header.Get("Location")
	if !strings.HasPrefix(redeem, b.auther.URL+"/migrator/exchange/redeem?") || queryOf(t, redeem).Get("ticket") != "a-ticket" {
		t.Fatalf("led to %s", redeem)
	}
	if got := b.signInAtAuther(redeem); got != "303 /members" {
		t.Error(got)
	}
	b.expect(visit("/"), "200 alice by cookie")
}

func TestAnExchangeThatFailsGoesOnWithTheSession(t *testing.T) {
	for name, spoil := range map[string]func(b *bench){
		"somebody else":  func(b *bench) { b.auther.sub = "bob" },
		"no ticket":      func(b *bench) { b.auther.broken.Store(true) },
		"signed out now": func(b *bench) { delete(b.jar, "session") },
	} {
		b := newBench(t, StageDrain)
		b.jar["session"] = "alice"
		query := queryOf(t, b.do(visit("/members")).Header.Get("Location"))
		spoil(b)
		back := b.do(visit("/auth/auther/exchange?nonce_hash=h&state=" + query.Get("state"))).Header.Get("Location")
		if strings.Contains(back, "redeem") {
			back = strings.TrimPrefix(b.signInAtAuther(back), "303 ")
		}
		if back != "/members" || b.jar["auther_exchange_pause"] == "" {
			t.Errorf("%s: led to %s with %v", name, back, b.jar)
		}
		if _, there := b.jar["session"]; there {
			b.expect(visit("/"), "200 alice by session")
		}
	}
}

func TestARememberMe(t *testing.T) {
	b := newBench(t, StageDual)
	b.jar["remember"] = "alice"
	b.expect(get("/"), "200 alice by session")
	if b.jar["session"] != "alice" {
		t.Error("no session was made of it")
	}
	b = newBench(t, StageDrain)
	b.jar["remember"], b.jar["auther_exchange_pause"] = "alice", "1"
	b.expect(get("/"), "200 alice by session")
	if b.jar["session"] != "" {
		t.Error("a session was made of it")
	}
	b.shim.env.ExchangeSecret = ""
	b.expect(get("/"), `403 {"error":"login_moved"}`)
	b.expect(visit("/members"), "303 /auth/auther/start?return_to=%2Fmembers")
}

// door sends a password to a door of the application and gives what came of it.
func door(b *bench, pk string, right bool, headers ...string) (Outcome, string) {
	r := httptest.NewRequest(http.MethodPost, "/login", nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	outcome := b.shim.PasswordDoor(recorder, r, "form", pk, "secret", func() bool { return right })
	answer := recorder.Result()
	return outcome, fmt.Sprint(answer.StatusCode, " ", answer.Header.Get("Location"))
}

func TestDoorsByStageAndHome(t *testing.T) {
	page := []string{"Sec-Fetch-Mode", "navigate"}
	for name, c := range map[string]struct {
		stage         Stage
		moved, pinned bool
		right, valid  bool // by the application's own check; by Auther
		headers       []string
		outcome       Outcome
		answer        string
	}{
		"legacy":                    {stage: StageLegacy, right: true, headers: page, outcome: Admitted, answer: "200 "},
		"dual":                      {stage: StageDual, right: true, headers: page, outcome: Admitted, answer: "200 "},
		"a wrong password":          {stage: StageDual, headers: page, outcome: Denied, answer: "200 "},
		"drain":                     {stage: StageDrain, right: true, headers: page, outcome: Answered, answer: "303 /auth/auther/start"},
		"drain, JSON":               {stage: StageDrain, right: true, outcome: Answered, answer: "403 "},
		"drain, a wrong password":   {stage: StageDrain, headers: page, outcome: Denied, answer: "200 "},
		"drain, pinned":             {stage: StageDrain, pinned: true, right: true, headers: page, outcome: Admitted, answer: "200 "},
		"auther":                    {stage: StageAuther, right: true, headers: page, outcome: Answered, answer: "303 /auth/auther/start"},
		"moved":                     {stage: StageDual, moved: true, valid: true, headers: page, outcome: Answered, answer: "303 /auth/auther/start?return_to=%2Fhome"},
		"moved, old password":       {stage: StageDual, moved: true, right: true, headers: page, outcome: Denied, answer: "200 "},
		"moved, JSON":               {stage: StageDual, moved: true, valid: true, outcome: Admitted, answer: "200 "},
		"moved, JSON, old password": {stage: StageDual, moved: true, right: true, outcome: Denied, answer: "200 "},
		"moved, rolled back":        {stage: StageLegacy, moved: true, right: true, headers: page, outcome: Admitted, answer: "200 "},
	} {
		b := newBench(t, c.stage)
		b.auther.valid.Store(c.valid)
		b.store.people["alice"].AtAuther, b.store.people["alice"].Pinned = c.moved, c.pinned
		if outcome, answer := door(b, "alice", c.right, c.headers...); outcome != c.outcome || answer != c.answer {
			t.Errorf("%s: %v %q", name, outcome, answer)
		}
	}
}

func TestWithAutherOutOfReachAMovedUserIsAskedToTryAgain(t *testing.T) {
	b := newBench(t, StageDual)
	b.store.people["alice"].AtAuther = true
	b.auther.broken.Store(true)
	if outcome, answer := door(b, "alice", true); outcome != Answered || answer != "503 " {
		t.Errorf("%v %s", outcome, answer)
	}
}

func TestLogoutEndsBothSidesAndIsProtected(t *testing.T) {
	b := newBench(t, StageDual)
	b.jar["session"], b.jar["auther_id_token"] = "alice", b.auther.token("alice", nil)
	post := func(headers ...string) *http.Request {
		r := get("/auth/auther/logout", headers...)
		r.Method = http.MethodPost
		return r
	}
	b.expect(post("Origin", "https://evil.example"), `403 {"error":"csrf"}`)
	b.expect(post("Sec-Fetch-Site", "cross-site"), `403 {"error":"csrf"}`)
	b.expect(get("/auth/auther/logout"), `405 {"error":"method_not_allowed"}`)
	b.expect(post("Origin", testOrigin), "303 /home")
	b.expect(get("/"), "200 nobody")
}

func TestAMarkerIsCountedOnceAsLegacyTraffic(t *testing.T) {
	b := newBench(t, StageAuther)
	signed := fmt.Sprintf("v1.%d.%s", time.Now().Unix(), strings.Repeat("a", 32))
	mac := hmac.New(sha256.New, []byte("control"))
	mac.Write([]byte(signed))
	marker := signed + "." + hex.EncodeToString(mac.Sum(nil))
	b.expect(get("/", controlHeader, marker), "204 ")
	b.expect(get("/", controlHeader, marker), "200 nobody")
	text := b.said(get("/migrator/metrics", "Authorization", "Bearer metrics"))
	if !strings.Contains(text, `auth_requests_total{client="app",outcome="accepted",path="legacy",reason="",stage="auther",synthetic="1"} 1`) {
		t.Error(text)
	}
	b.expect(get("/migrator/metrics", "Authorization", "Bearer wrong"), `404 {"error":"not_found"}`)
}

func TestWhatIsNotConfiguredDoesNotStart(t *testing.T) {
	settings := Baked()
	settings.JWKSURL = "CHANGE_ME_JWKS_URL"
	if _, err := New(get("/").Context(), Config{Settings: settings}); err == nil || !strings.Contains(err.Error(), "JWKSURL") {
		t.Errorf("it says %v", err)
	}
}

func TestAnExpiredTokenMakesNobodyAUser(t *testing.T) {
	b := newBench(t, StageDual, func(c *Config) { c.Settings.CreateUsers = true })
	b.store.create = UserCreated
	b.jar["auther_id_token"] = b.auther.token("carol", object{"exp": 1})
	b.expect(visit("/"), "200 nobody")
	if _, there := b.store.people["carol"]; there {
		t.Error("there is a user")
	}
}

func TestAClientThatGoesAwayDoesNotDecideWhatIsRemembered(t *testing.T) {
	b := newBench(t, StageDual)
	person := b.store.people["alice"]
	person.AtAuther, person.ValidFrom = true, time.Now()
	b.jar["session"] = "alice"
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	b.expect(get("/").WithContext(gone), refusal401("legacy_ended"))
}
