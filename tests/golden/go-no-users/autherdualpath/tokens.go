package autherdualpath

import (
	"context"
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	jose "gopkg.in/square/go-jose.v2"
	// Case-sensitive, and it refuses an object that names one key twice; encoding/json takes the last one.
	"gopkg.in/square/go-jose.v2/json"
)

// Auther writes iat in milliseconds; no date in seconds is that large before the year 5138.
const millisecondsFrom = 1e11

const maxSubject = 255

// Each of these lets a token say where its key is, or how it wants to be read. go-jose follows b64, and looks at jwk.
var forbiddenHeaders = []string{"jku", "jwk", "x5u", "x5c", "crit", "b64"}

// Claims are what a verified token says.
type Claims struct {
	Issuer, Subject string
	Audience        []string
	Expires         time.Time
	Issued          time.Time // in whole seconds; zero when the token does not say
	Nonce           string
	Email, Name     string
	EmailVerified   bool
	ForAPIKey       bool // exchanged for an API key: a program, in its owner's name
	payload         []byte
}

// Unmarshal reads the whole payload into a value of the caller's.
func (c Claims) Unmarshal(into interface{}) error { return json.Unmarshal(c.payload, into) }

// refusal is why a token is not accepted; the reason is from a closed list, a counter's label.
type refusal struct {
	reason string
	stale  bool // it was good once or is good elsewhere: a cookie like that is as absent
	signed bool // its signature was found to be good
}

func (r *refusal) Error() string { return "token refused: " + r.reason }

func refused(reason string) error { return &refusal{reason: reason} }
func stale(reason string) error   { return &refusal{reason: reason, stale: true} }

// tokenVerifier checks tokens against the configured key set, issuers and audiences.
type tokenVerifier struct {
	settings *Settings
	keys     *keySet
	cache    *claimsCache
	headers  headerCache
	now      func() time.Time
}

// openToken is a token that was read, but not verified unless it says so.
type openToken struct {
	text     string
	sum      tokenSum
	verified bool   // it was verified before, and its keys are still the same
	header   header // checked
	claims   Claims
	problem  error // what is wrong with the claims
	err      error // what is wrong with its form
}

// isCandidate tells whether a bearer claims to come from a listed issuer; for routing only. What is too large to be
// looked into is refused as ours: the size alone says no.
func (v *tokenVerifier) isCandidate(t *openToken) bool {
	return t.verified || len(t.text) > maxTokenBytes || contains(v.settings.Issuers, t.claims.Issuer)
}

// open takes a token apart; go-jose would let spare bits, line breaks and blanks pass.
func (v *tokenVerifier) open(text string) *openToken {
	t := &openToken{text: text}
	if len(text) > maxTokenBytes {
		t.err = refused("too_large")
		return t
	}
	t.sum = sumOf(text)
	if t.claims, t.verified = v.cache.get(t.sum, v.keys.generation(), v.now()); t.verified {
		return t
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.err = refused("malformed")
		return t
	}
	payload, err := decodeSegment(parts[1])
	if err == nil {
		err = v.readClaims(t, payload)
	}
	if err == nil {
		t.header, err = v.headers.read(parts[0], v.settings.Algorithms)
	}
	if err == nil {
		_, err = decodeSegment(parts[2])
	}
	t.err = err
	return t
}

// verify gives the claims of a good token, or a refusal, or errUnavailable. With a refusal whose signature is good the
// claims are there as well.
func (v *tokenVerifier) verify(ctx context.Context, t *openToken) (Claims, error) {
	if t.verified {
		return t.claims, nil
	}
	if t.err != nil {
		return Claims{}, t.err
	}
	key, ok := v.keys.known(t.header.kid)
	if !ok {
		var err error
		if key, err = v.lookedFor(ctx, t.header.kid, t.problem); err != nil {
			return Claims{}, err
		}
	}
	if key.algorithm != t.header.algorithm {
		return Claims{}, refused("algorithm")
	}
	signed, err := jose.ParseSigned(t.text)
	if err != nil {
		return Claims{}, refused("malformed")
	}
	if _, err := signed.Verify(key.public); err != nil {
		return Claims{}, refused("signature")
	}
	// Only now: a forged token is forged, whatever else is wrong with it.
	var why *refusal
	if errors.As(t.problem, &why) {
		why.signed = true
		return t.claims, why
	}
	v.cache.put(t.sum, key.generation, t.claims)
	return t.claims, nil
}

// lookedFor asks Auther for a key. A token that its claims rule out anyway is not worth a fetch, nor a 503; but for one
// that has expired the first set is fetched, since a renewal needs to know whether it was good.
func (v *tokenVerifier) lookedFor(ctx context.Context, kid string, problem error) (verificationKey, error) {
	var why *refusal
	if errors.As(problem, &why) && (why.reason != "expired" || v.keys.generation() > 0) {
		return verificationKey{}, problem
	}
	key, err := v.keys.find(ctx, kid)
	switch {
	case err != nil && problem != nil:
		return verificationKey{}, problem
	case errors.Is(err, errUnknownKey):
		return verificationKey{}, refused("unknown_key")
	}
	return key, err
}

// readClaims reads the claims and notes what is wrong with them.
func (v *tokenVerifier) readClaims(t *openToken, payload []byte) error {
	var raw struct {
		Issuer        interface{}     `json:"iss"`
		Subject       interface{}     `json:"sub"`
		Audience      interface{}     `json:"aud"`
		Expires       json.RawMessage `json:"exp"`
		NotBefore     json.RawMessage `json:"nbf"`
		Issued        json.RawMessage `json:"iat"`
		Nonce         interface{}     `json:"nonce"`
		Email         interface{}     `json:"email"`
		EmailVerified interface{}     `json:"email_verified"`
		Name          interface{}     `json:"name"`
		APIKey        interface{}     `json:"apiKeyId"`
	}
	if err := parseJSON(payload, &raw); err != nil {
		return err
	}
	claims := &t.claims
	claims.payload, claims.Audience = payload, audienceOf(raw.Audience)
	claims.Issuer, _ = raw.Issuer.(string)
	claims.Subject, _ = raw.Subject.(string)
	claims.Nonce, _ = raw.Nonce.(string)
	claims.Email, _ = raw.Email.(string)
	claims.Name, _ = raw.Name.(string)
	claims.EmailVerified, _ = raw.EmailVerified.(bool)
	claims.ForAPIKey = raw.APIKey != nil

	exp, hasExp, expOK := seconds(raw.Expires)
	nbf, hasNbf, nbfOK := seconds(raw.NotBefore)
	iat, hasIat, iatOK := seconds(raw.Issued)
	if iat > millisecondsFrom {
		iat /= 1000
	}
	if !hasExp || !expOK || !nbfOK || !iatOK || exp > millisecondsFrom || nbf > millisecondsFrom || !isSubject(claims.Subject) {
		t.problem = refused("missing_claim")
		return nil
	}
	claims.Expires = unix(exp)
	if hasIat {
		claims.Issued = unix(math.Floor(iat))
	}
	now := v.now()
	switch {
	case !contains(v.settings.Issuers, claims.Issuer):
		t.problem = stale("issuer")
	case !overlap(claims.Audience, v.settings.Audiences):
		t.problem = stale("audience")
	case !now.Before(claims.Expires.Add(leeway)):
		t.problem = stale("expired")
	case hasNbf && unix(nbf).After(now.Add(leeway)), hasIat && claims.Issued.After(now.Add(leeway)):
		t.problem = stale("not_yet_valid")
	}
	return nil
}

// seconds reads a time claim as it is written; the bounds keep infinity and huge integers out.
func seconds(raw json.RawMessage) (s float64, there, ok bool) {
	text := string(raw)
	if text == "" || text == "null" {
		return 0, false, true
	}
	s, err := strconv.ParseFloat(text, 64)
	return s, true, err == nil && text[0] != '"' && s >= 0 && s < 1e15
}

func unix(s float64) time.Time {
	whole, fraction := math.Modf(s)
	return time.Unix(int64(whole), int64(fraction*1e9))
}

func audienceOf(value interface{}) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []interface{}:
		var named []string
		for _, one := range value {
			if text, ok := one.(string); ok {
				named = append(named, text)
			}
		}
		return named
	}
	return nil
}

func overlap(a, b []string) bool {
	for _, one := range a {
		if contains(b, one) {
			return true
		}
	}
	return false
}

// isSubject: a NUL byte would make PostgreSQL raise where the user is looked up.
func isSubject(sub string) bool {
	for i := 0; i < len(sub); i++ {
		if sub[i] <= ' ' || sub[i] >= 0x7f {
			return false
		}
	}
	return sub != "" && len(sub) <= maxSubject
}

// header is what a token's header says, once it was found to be one of ours.
type header struct{ algorithm, kid string }

// headerCache remembers the headers that it has read: those of one key are all alike.
type headerCache struct {
	mu    sync.RWMutex
	known map[string]header
}

func (c *headerCache) read(segment string, algorithms []string) (header, error) {
	c.mu.RLock()
	h, ok := c.known[segment]
	c.mu.RUnlock()
	if ok {
		return h, nil
	}
	h, err := readHeader(segment, algorithms)
	if err != nil {
		return header{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxKeys {
		c.known = make(map[string]header)
	}
	c.known[segment] = h
	return h, nil
}

func readHeader(segment string, algorithms []string) (header, error) {
	data, err := decodeSegment(segment)
	if err != nil {
		return header{}, err
	}
	var fields map[string]interface{}
	if err := parseJSON(data, &fields); err != nil {
		return header{}, err
	}
	var h header
	h.algorithm, _ = fields["alg"].(string)
	if !contains(algorithms, h.algorithm) {
		return header{}, refused("algorithm")
	}
	h.kid, _ = fields["kid"].(string)
	for _, name := range forbiddenHeaders {
		if _, there := fields[name]; there || h.kid == "" {
			return header{}, refused("malformed")
		}
	}
	return h, nil
}

// parseJSON reads one object and nothing behind it.
func parseJSON(data []byte, into interface{}) error {
	if len(data) == 0 || data[0] != '{' || json.Unmarshal(data, into) != nil {
		return refused("malformed")
	}
	return nil
}

// decodeSegment takes only the one canonical spelling, so that a token cannot be respelt past a list of revoked ones.
// The decoder alone skips line breaks, and stray bits unless it is told not to.
func decodeSegment(segment string) ([]byte, error) {
	if strings.ContainsAny(segment, "\r\n") {
		return nil, refused("malformed")
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, refused("malformed")
	}
	return data, nil
}
