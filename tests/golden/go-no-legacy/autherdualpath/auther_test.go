package autherdualpath

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestALargeTokenIsKeptOnTheServer(t *testing.T) {
	b := anyBench(t)
	b.auther.claims = object{"padding": strings.Repeat("x", 4000)}
	b.signInAtAuther(b.do(visit("/auth/auther/start")).Header.Get("Location"))
	handle := b.jar["auther_id_token"]
	if !isHandle(handle) || len(handle) > 60 {
		t.Fatalf("the cookie holds %.80s", handle)
	}
	if strings.Contains(fmt.Sprint(b.store.tokens), handle) {
		t.Error("the database holds the cookie's value")
	}
	b.expect(get("/"), "200 alice by cookie")
	b.jar["auther_id_token"] = handlePrefix + randomText(32)
	b.expect(get("/"), "200 nobody")
}

func TestUsersAreMadeForNewSubsAndNeverLinkedByAddress(t *testing.T) {
	for created, want := range map[Created]string{
		UserCreated: "200 carol by header", EmailTaken: `409 {"error":"identity_unlinked"}`,
		Tombstone: refusal401("invalid_token"), ColumnNeedsValue: `409 {"error":"identity_unlinked"}`,
	} {
		b := anyBench(t, func(c *Config) { c.Settings.CreateUsers = true })
		b.store.create = created
		b.expect(bearer(b.auther.token("carol", nil)), want)
	}
}

func TestPermissionsHaveThreeAnswers(t *testing.T) {
	b := anyBench(t)
	edit := Permission{Name: "edit", EntityType: "book", EntityID: "7"}
	for name, c := range map[string]struct {
		claims object
		want   Verdict
	}{
		"of the type":    {object{"permissions": object{"book": []string{"edit"}}}, PermissionAllowed},
		"of the one":     {object{"permissions": object{"book:7": []string{"edit"}}}, PermissionAllowed},
		"of another one": {object{"permissions": object{"book:8": []string{"edit"}}}, PermissionDenied},
		"none":           {object{"permissions": object{}}, PermissionDenied},
		"if it fits":     {object{"permissions": object{"book": []string{"edit"}}, "abac_required": object{"book": []string{"edit"}}}, PermissionUnknown},
		"some condition": {object{"permissions": object{"book": []string{"edit"}}, "abac_required": true}, PermissionUnknown},
		"no claim":       {nil, PermissionUnknown},
		"by attributes":  {object{"permissions": object{}, "abac_required": object{"book": []string{"edit"}}}, PermissionUnknown},
	} {
		claims, err := b.shim.verifier.verify(get("/").Context(), b.shim.verifier.open(b.auther.token("alice", c.claims)))
		if got := claims.Permission(edit); err != nil || got != c.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestAProgramsPermissionsAreItsOwnKeys(t *testing.T) {
	var keys []string
	answers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("X-Api-Key"))
		_, _ = w.Write([]byte(`{"allowed":true}`))
	}))
	defer answers.Close()
	b := anyBench(t)
	b.shim.settings.DelegatePermissions, b.shim.settings.CheckPermissionURL = true, answers.URL
	read := Permission{Name: "read", EntityType: "book"}
	person := get("/", "X-Api-Key", "k")
	person = person.WithContext(context.WithValue(person.Context(), contextKey{}, &passage{shim: b.shim, user: &User{PK: "1"}}))
	if b.shim.Allowed(person, read) || len(keys) > 0 {
		t.Error("the key beside a person was asked")
	}
	if b.shim.Allowed(get("/"), read) || len(keys) > 0 {
		t.Error("nobody may")
	}
	if !b.shim.Allowed(get("/", "X-Api-Key", "k"), read) || len(keys) != 1 || keys[0] != "k" {
		t.Errorf("the program's key was not asked: %v", keys)
	}
}

func TestACallbackThatDoesNotFitSignsNobodyIn(t *testing.T) {
	for reason, c := range map[string]struct {
		status int
		spoil  func(b *bench, query url.Values)
	}{
		"state":             {400, func(b *bench, q url.Values) { q.Set("state", strings.Repeat("x", 43)) }},
		"refused_by_auther": {400, func(b *bench, q url.Values) { q.Set("error", "access_denied") }},
		"nonce":             {400, func(b *bench, q url.Values) { b.auther.nonce = "another" }},
		"audience":          {400, func(b *bench, q url.Values) { b.auther.claims = object{"aud": "another"} }},
		"identity_unlinked": {409, func(b *bench, q url.Values) { b.auther.sub = "mallory" }},
		"disabled":          {403, func(b *bench, q url.Values) { b.auther.sub = "locked" }},
		"auther_unreachable": {503, func(b *bench, q url.Values) {
			b.auther.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
		}},
		"code_refused": {400, func(b *bench, q url.Values) {
			b.auther.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
		}},
	} {
		b := anyBench(t)
		sent := queryOf(t, b.do(visit("/auth/auther/start")).Header.Get("Location"))
		b.auther.nonce = sent.Get("nonce")
		query := url.Values{"code": {"c"}, "state": {sent.Get("state")}}
		c.spoil(b, query)
		answer := b.do(visit("/auth/auther/callback?" + query.Encode()))
		if answer.StatusCode != c.status || !strings.Contains(b.logged(), `"reason":"`+reason+`"`) {
			t.Errorf("%s: %d; the log says %s", reason, answer.StatusCode, b.logged())
		}
		if _, there := b.jar["auther_id_token"]; there {
			t.Errorf("%s: there is a token", reason)
		}
	}
}

func TestAnAttemptBelongsToItsBrowser(t *testing.T) {
	b := anyBench(t)
	begun := b.do(visit("/auth/auther/start")).Header.Get("Location")
	b.jar = map[string]string{}
	if got := b.signInAtAuther(begun); !strings.HasPrefix(got, "400") {
		t.Error(got)
	}
}
