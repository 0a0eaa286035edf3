package autherdualpath

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestATokenIsTheOnlyCredential(t *testing.T) {
	b := anyBench(t)
	good := b.auther.token("alice", nil)
	b.expect(get("/"), "200 nobody")
	b.expect(bearer(good), "200 alice by header")
	b.expect(bearer(b.auther.token("locked", nil)), refusal401("invalid_token"))
	b.expect(bearer(b.auther.token("mallory", nil)), `409 {"error":"identity_unlinked"}`)
	b.expect(bearer("personal-token"), refusal401("foreign_bearer"))
	b.expect(get("/api/notes", "Authorization", "Bearer personal-token"), "200 nobody")
	b.expect(get("/", "Authorization", "Bearer "+good, "Authorization", "Bearer "+good), refusal401("foreign_bearer"))
	b.jar["auther_id_token"] = good
	b.expect(get("/"), "200 alice by cookie")
	b.expect(bearer(b.auther.token("alice", object{"exp": 1})), refusal401("invalid_token"))
	b.jar["auther_id_token"] = newAuther(t).token("alice", object{"iss": b.auther.URL})
	b.expect(visit("/members"), "303 /auth/auther/start?return_to=%2Fmembers")
}

func TestALoginALogoutAndARenewal(t *testing.T) {
	b := anyBench(t)
	if got := b.signInAtAuther(b.do(visit(LoginURL("/members"))).Header.Get("Location")); got != "303 /members" {
		t.Fatal(got)
	}
	b.expect(get("/"), "200 alice by cookie")
	out := get("/auth/auther/logout", "Origin", "https://evil.example")
	out.Method = http.MethodPost
	b.expect(out, `403 {"error":"csrf"}`)
	out = get("/auth/auther/logout", "Origin", testOrigin)
	out.Method = http.MethodPost
	b.expect(out, "303 /home")
	b.expect(get("/"), "200 nobody")
	b.jar["auther_id_token"] = b.auther.token("alice", object{"exp": 1})
	renew := b.do(visit("/members")).Header.Get("Location")
	if got := b.signInAtAuther(b.do(visit(renew)).Header.Get("Location")); got != "303 /members" {
		t.Error(got)
	}
}

func TestItReportsItselfWithoutALegacySide(t *testing.T) {
	b := anyBench(t, func(c *Config) { c.Environment.Instance, c.Settings.Build = "web-1", "7" })
	select {
	case got := <-b.store.beats:
		if want := (Beat{Instance: "web-1", Build: "7", Baked: "auther", Stage: "auther", Source: "baked"}); got != want {
			t.Errorf("%+v", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("no heartbeat")
	}
	metrics := b.said(get(metricsPath, "Authorization", "Bearer metrics"))
	if !strings.Contains(metrics, `migrator_shim_info{baked="auther",build="7",epoch="0",instance="web-1",`) {
		t.Error(metrics)
	}
}

func TestADatabaseThatDoesNotAnswerIs503(t *testing.T) {
	b := anyBench(t)
	b.store.down = true
	b.expect(bearer(b.auther.token("alice", nil)), `503 {"error":"verification_unavailable"}`)
}

func TestWithoutUsersThePrincipalIsTheSub(t *testing.T) {
	b := anyBench(t, func(c *Config) { c.Store = nil })
	b.expect(bearer(b.auther.token("mallory", nil)), "200 mallory by header")
}
