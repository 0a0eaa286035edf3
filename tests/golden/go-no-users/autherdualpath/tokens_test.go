package autherdualpath

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func reasonOf(b *bench, token string) string {
	_, err := b.shim.verifier.verify(get("/").Context(), b.shim.verifier.open(token))
	var why *refusal
	switch {
	case errors.As(err, &why):
		return why.reason
	case err != nil:
		return err.Error()
	}
	return "good"
}

func TestATokenIsRefusedForItsReason(t *testing.T) {
	b := anyBench(t)
	a := b.auther
	good := a.token("alice", nil)
	parts := strings.Split(good, ".")
	claims := object{"iss": a.URL, "aud": testClient, "sub": "alice", "exp": time.Now().Unix() + 600}
	with := func(header object) string { return a.sign(header, claims) }
	raw := func(claims string) string { return a.signBytes([]byte(`{"alg":"EdDSA","kid":"k"}`), []byte(claims)) }
	mac := hmac.New(sha256.New, []byte(a.jwk("k")["x"]))
	head := b64([]byte(`{"alg":"HS256","kid":"k"}`))
	mac.Write([]byte(head + "." + parts[1]))
	far := `"exp":4102444800`
	for name, c := range map[string]struct{ token, reason string }{
		"as Auther makes them": {good, "good"},
		"aud as a list":        {a.token("alice", object{"aud": []string{"other", testClient}}), "good"},
		"iat in seconds":       {a.token("alice", object{"iat": time.Now().Unix()}), "good"},
		"no iat":               {a.token("alice", object{"iat": nil}), "good"},
		"within the leeway":    {a.token("alice", object{"exp": time.Now().Unix() - 5}), "good"},

		"alg none":            {b64([]byte(`{"alg":"none","kid":"k"}`)) + "." + parts[1] + ".", "algorithm"},
		"HS256":               {head + "." + parts[1] + "." + b64(mac.Sum(nil)), "algorithm"},
		"alg of another key":  {with(object{"alg": "RS256", "kid": "k"}), "algorithm"},
		"jku":                 {with(object{"alg": "EdDSA", "kid": "k", "jku": "https://evil.example"}), "malformed"},
		"jwk":                 {with(object{"alg": "EdDSA", "kid": "k", "jwk": a.jwk("k")}), "malformed"},
		"x5u":                 {with(object{"alg": "EdDSA", "kid": "k", "x5u": "https://evil.example"}), "malformed"},
		"crit":                {with(object{"alg": "EdDSA", "kid": "k", "crit": []string{"exp"}}), "malformed"},
		"b64":                 {with(object{"alg": "EdDSA", "kid": "k", "b64": false}), "malformed"},
		"no kid":              {with(object{"alg": "EdDSA"}), "malformed"},
		"kid as a number":     {with(object{"alg": "EdDSA", "kid": 7}), "malformed"},
		"alg twice":           {a.signBytes([]byte(`{"alg":"none","alg":"EdDSA","kid":"k"}`), []byte(`{}`)), "malformed"},
		"another signer":      {newAuther(t).token("alice", object{"iss": a.URL}), "signature"},
		"another payload":     {parts[0] + "." + strings.Split(a.token("bob", nil), ".")[1] + "." + parts[2], "signature"},
		"padding":             {good + "=", "malformed"},
		"a line break":        {parts[0] + "." + parts[1] + "\n." + parts[2], "malformed"},
		"spare bits":          {good[:len(good)-1] + string(next(good[len(good)-1])), "malformed"},
		"two parts":           {parts[0] + "." + parts[1], "malformed"},
		"sub twice":           {raw(fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"bob","sub":"alice",%s}`, a.URL, testClient, far)), "malformed"},
		"something behind":    {raw(`{} {}`), "malformed"},
		"an array":            {raw(`[]`), "malformed"},
		"names in capitals":   {raw(fmt.Sprintf(`{"iss":%q,"aud":%q,"SUB":"alice",%s}`, a.URL, testClient, far)), "missing_claim"},
		"expired":             {a.token("alice", object{"exp": time.Now().Unix() - 120}), "expired"},
		"no exp":              {a.token("alice", object{"exp": nil}), "missing_claim"},
		"exp as text":         {a.token("alice", object{"exp": "4102444800"}), "missing_claim"},
		"exp as true":         {a.token("alice", object{"exp": true}), "missing_claim"},
		"exp in milliseconds": {a.token("alice", object{"exp": time.Now().UnixMilli() + 1e7}), "missing_claim"},
		"exp beyond numbers":  {raw(fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"alice","exp":1e999}`, a.URL, testClient)), "missing_claim"},
		"a huge integer":      {raw(fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"alice","exp":%s}`, a.URL, testClient, strings.Repeat("9", 400))), "missing_claim"},
		"an empty sub":        {a.token("", nil), "missing_claim"},
		"sub as a number":     {a.token("", object{"sub": 2}), "missing_claim"},
		"sub with a NUL":      {a.token("a\x00b", nil), "missing_claim"},
		"iat as text":         {a.token("alice", object{"iat": "now"}), "missing_claim"},
		"iat in the future":   {a.token("alice", object{"iat": time.Now().Add(time.Hour).UnixMilli()}), "not_yet_valid"},
		"nbf in the future":   {a.token("alice", object{"nbf": time.Now().Add(time.Hour).Unix()}), "not_yet_valid"},
		"another issuer":      {a.token("alice", object{"iss": "https://elsewhere.example"}), "issuer"},
		"another audience":    {a.token("alice", object{"aud": "other"}), "audience"},
		"a longer audience":   {a.token("alice", object{"aud": testClient + "-2"}), "audience"},
		"no audience":         {a.token("alice", object{"aud": nil}), "audience"},
		"more than 8 KiB":     {a.token("alice", object{"padding": strings.Repeat("x", 8000)}), "too_large"},
		"deep":                {b64([]byte(strings.Repeat("[", 3000))) + "." + parts[1] + "." + parts[2], "malformed"},
	} {
		if got := reasonOf(b, c.token); got != c.reason {
			t.Errorf("%s: %s, not %s", name, got, c.reason)
		}
	}
}

// next gives a character whose first bits are the same: only the ones that carry nothing differ.
func next(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)+1]
}

func TestVerifiedTokensAreRememberedUntilTheyExpireOrTheKeysChange(t *testing.T) {
	b := anyBench(t)
	cache, keys := b.shim.verifier.cache, b.shim.verifier.keys
	token := b.auther.token("alice", nil)
	reasonOf(b, token)
	if _, ok := cache.get(sumOf(token), keys.generation(), time.Now()); !ok {
		t.Error("not remembered")
	}
	if _, ok := cache.get(sumOf(token), keys.generation(), time.Now().Add(601*time.Second)); ok {
		t.Error("remembered past exp")
	}
	other := newAuther(t)
	withdrawn := map[string]verificationKey{"k": mustKey(t, other.jwk("k"))}
	keys.adopt(withdrawn)
	if got := reasonOf(b, token); got != "signature" {
		t.Errorf("after its key was replaced: %s", got)
	}
	reasonOf(b, other.token("alice", object{"iss": b.auther.URL}))
	before := keys.generation()
	keys.adopt(map[string]verificationKey{"k": mustKey(t, other.jwk("k"))})
	if keys.generation() != before {
		t.Error("the same keys again dropped what was remembered")
	}
}

func TestAKeyThatIsWithdrawnEndsRememberedTokensWithoutOthersComing(t *testing.T) {
	var ahead atomic.Int64
	b := anyBench(t, func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	good := b.auther.token("alice", object{"exp": time.Now().Add(48 * time.Hour).Unix()})
	b.expect(bearer(good), "200 alice by header")
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.auther.key = key
	ahead.Store(int64(jwksMaxAge + time.Minute))
	until := time.Now().Add(10 * time.Second)
	for reasonOf(b, good) != "signature" {
		if time.Now().After(until) {
			t.Fatal("still good")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestTheMemoryOfTokensIsBounded(t *testing.T) {
	cache := newClaimsCache()
	for i := 0; i < 3*maxCachedTokens; i++ {
		cache.put(sumOf(fmt.Sprint(i)), 1, Claims{Expires: time.Now().Add(time.Hour)})
	}
	if len(cache.claims) != maxCachedTokens {
		t.Errorf("%d tokens are kept", len(cache.claims))
	}
}

func mustKey(t *testing.T, jwk map[string]string) verificationKey {
	t.Helper()
	raw, _ := json.Marshal(jwk)
	_, key, ok := parseKey(raw)
	if !ok {
		t.Fatal("not a key")
	}
	return key
}

func TestKeySetsThatAreRefused(t *testing.T) {
	a := newAuther(t)
	odd := func(name, value string) map[string]string {
		jwk := a.jwk("k")
		jwk[name] = value
		return jwk
	}
	symmetric := map[string]string{"kty": "oct", "kid": "k", "k": "AAAA"}
	for name, c := range map[string]struct {
		keys []map[string]string
		want int
	}{
		"a good one":         {[]map[string]string{a.jwk("k")}, 1},
		"one of another use": {[]map[string]string{a.jwk("k"), odd("use", "enc")}, 1},
		"a short x":          {[]map[string]string{odd("x", "AAAA")}, 0},
		"a long x":           {[]map[string]string{odd("x", b64(make([]byte, 33)))}, 0},
		"another alg":        {[]map[string]string{odd("alg", "RS256")}, 0},
		"no kid":             {[]map[string]string{odd("kid", "")}, 0},
		"a private key":      {[]map[string]string{odd("d", b64(make([]byte, 32)))}, 0},
		"one kid twice":      {[]map[string]string{a.jwk("k"), newAuther(t).jwk("k")}, 0},
		"a symmetric key":    {[]map[string]string{symmetric}, 0},
		"nothing":            {nil, 0},
	} {
		body, _ := json.Marshal(object{"keys": c.keys})
		keys, err := parseKeys(body, []string{"EdDSA"})
		if len(keys) != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
		}
	}
}

func TestRandomKeyIDsCauseOneFetchPerCooldown(t *testing.T) {
	var ahead atomic.Int64
	b := anyBench(t, func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	good := b.auther.token("alice", object{"exp": time.Now().Unix() + 3600})
	b.expect(bearer(good), "200 alice by header")
	for round := int32(1); round <= 3; round++ {
		ahead.Add(int64(31 * time.Second))
		answers := make(chan string, 100)
		for i := 0; i < cap(answers); i++ {
			go func(i int) {
				token := b.auther.sign(object{"alg": "EdDSA", "kid": fmt.Sprint("random", i)},
					object{"iss": b.auther.URL, "aud": testClient, "sub": "alice", "exp": time.Now().Unix() + 3600})
				answers <- reasonOf(b, token)
			}(i)
		}
		for i := 0; i < cap(answers); i++ {
			if got := <-answers; got == "good" {
				t.Error("an unknown key was accepted")
			}
		}
		if fetches := atomic.LoadInt32(&b.auther.fetches); fetches != 1+round {
			t.Errorf("%d fetches after %d cooldowns", fetches, round)
		}
		b.expect(bearer(good), "200 alice by header")
	}
}

func TestAFailedFetchNeverReplacesAGoodSet(t *testing.T) {
	var ahead atomic.Int64
	b := anyBench(t, func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	good := b.auther.token("alice", object{"exp": time.Now().Add(48 * time.Hour).Unix()})
	b.expect(bearer(good), "200 alice by header")
	b.auther.broken.Store(true)
	ahead.Store(int64(23 * time.Hour))
	unknown := b.auther.sign(object{"alg": "EdDSA", "kid": "new"}, object{"iss": b.auther.URL, "aud": testClient, "sub": "alice",
		"exp": time.Now().Add(48 * time.Hour).Unix()})
	b.expect(bearer(unknown), `503 {"error":"verification_unavailable"}`)
	b.expect(bearer(good), "200 alice by header")
	ahead.Store(int64(25 * time.Hour))
	b.expect(bearer(good), `503 {"error":"verification_unavailable"}`)
}

func TestKeysAreNotTakenFromARedirect(t *testing.T) {
	b := anyBench(t)
	away := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, b.auther.URL+"/jwks?moved", http.StatusFound)
	})
	b.auther.Config.Handler = away
	answer := b.do(bearer(b.auther.token("alice", nil)))
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") != "5" {
		t.Errorf("%d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
}
