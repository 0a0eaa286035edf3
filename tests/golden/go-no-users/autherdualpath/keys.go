package autherdualpath

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	jose "gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/json"
)

const (
	maxKeys       = 100
	maxJWKSBytes  = 256 << 10
	jwksTimeout   = 5 * time.Second
	jwksMaxAge    = 10 * time.Minute // after this a set is refreshed in the background
	jwksStale     = 24 * time.Hour   // after this a set that could not be refreshed is no longer used
	jwksRetry     = 5 * time.Second  // between fetches while there is no usable set
	minRSAKeyBits = 2048
)

var knownAlgorithms = map[string]bool{"EdDSA": true, "RS256": true, "ES256": true}

// errUnknownKey: a set that was fetched for this very request does not hold the key.
var errUnknownKey = errors.New("unknown key")

type verificationKey struct {
	algorithm  string
	public     crypto.PublicKey
	thumbprint string
	generation uint64 // of the set that it was found in
}

// keySnapshot is one fetched set. A new generation means that a key was added, changed or taken away.
type keySnapshot struct {
	keys       map[string]verificationKey
	at         time.Time
	generation uint64
}

type flight struct {
	done chan struct{}
	ok   bool
}

// keySet holds the configured JWKS: fetched rarely, kept while good, never replaced by something worse.
type keySet struct {
	url        string
	algorithms []string
	cooldown   time.Duration
	client     *http.Client
	onFetch    func(result string)
	now        func() time.Time
	current    atomic.Pointer[keySnapshot]

	mu     sync.Mutex
	flying *flight
	tried  time.Time
}

// usable gives the set to go on with, nil when there is none; an ageing one is refreshed in the background.
func (k *keySet) usable() *keySnapshot {
	set := k.current.Load()
	if set == nil {
		return nil
	}
	age := k.now().Sub(set.at)
	if age > jwksStale {
		return nil
	}
	if age > jwksMaxAge {
		k.join()
	}
	return set
}

// known gives a key without asking anybody.
func (k *keySet) known(kid string) (verificationKey, bool) {
	set := k.usable()
	if set == nil {
		return verificationKey{}, false
	}
	key, ok := set.keys[kid]
	return key, ok
}

// find gives a key, fetching the set again at most once per cooldown whatever the kids. The error is errUnknownKey when
// a fresh set does not have it, errUnavailable when nobody can tell.
func (k *keySet) find(ctx context.Context, kid string) (verificationKey, error) {
	if key, ok := k.known(kid); ok {
		return key, nil
	}
	f, mine, wait := k.join()
	if f == nil {
		return verificationKey{}, &unavailable{why: "key set cooldown", retry: wait}
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return verificationKey{}, &unavailable{why: "the client left"}
	}
	if key, ok := k.known(kid); ok {
		return key, nil
	}
	if !f.ok || !mine {
		return verificationKey{}, &unavailable{why: "no usable key set", retry: k.pause()}
	}
	return verificationKey{}, errUnknownKey
}

// generation tells verified tokens apart that other keys had signed. Where only such tokens come, it is what keeps the
// set young, or a key that was withdrawn would be good until they expire.
func (k *keySet) generation() uint64 {
	set := k.usable()
	if set == nil {
		return 0
	}
	return set.generation
}

// join gives the fetch that is under way or starts one; nil and the time to wait inside the cooldown.
func (k *keySet) join() (f *flight, mine bool, wait time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flying != nil {
		return k.flying, false, 0
	}
	if wait := k.tried.Add(k.pause()).Sub(k.now()); !k.tried.IsZero() && wait > 0 {
		return nil, false, wait
	}
	k.tried = k.now()
	k.flying = &flight{done: make(chan struct{})}
	// Its own goroutine and deadline: one client that goes away must not cancel the fetch for all the others.
	go k.fly(k.flying)
	return k.flying, true, 0
}

func (k *keySet) pause() time.Duration {
	if set := k.current.Load(); set != nil && k.now().Sub(set.at) <= jwksStale {
		return k.cooldown
	}
	return jwksRetry
}

func (k *keySet) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), jwksTimeout)
	defer cancel()
	keys, err := k.fetchSafely(ctx)
	if err == nil {
		k.adopt(keys)
		k.onFetch("ok")
	} else {
		k.onFetch("failed")
	}
	k.mu.Lock()
	k.flying = nil
	k.mu.Unlock()
	f.ok = err == nil
	close(f.done)
}

// fetchSafely: a key that the library chokes on must not take the process with it.
func (k *keySet) fetchSafely(ctx context.Context) (keys map[string]verificationKey, err error) {
	defer func() {
		if found := recover(); found != nil {
			err = fmt.Errorf("reading the JWKS: %v", found)
		}
	}()
	return k.fetch(ctx)
}

func (k *keySet) adopt(keys map[string]verificationKey) {
	next := &keySnapshot{keys: keys, at: k.now(), generation: 1}
	if old := k.current.Load(); old != nil {
		next.generation = old.generation
		if !sameKeys(old.keys, keys) {
			next.generation++
		}
	}
	for kid, key := range keys {
		key.generation = next.generation
		keys[kid] = key
	}
	k.current.Store(next)
}

func sameKeys(a, b map[string]verificationKey) bool {
	if len(a) != len(b) {
		return false
	}
	for kid, key := range a {
		if other, ok := b[kid]; !ok || other.thumbprint != key.thumbprint || other.algorithm != key.algorithm {
			return false
		}
	}
	return true
}

func (k *keySet) fetch(ctx context.Context) (map[string]verificationKey, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	answer, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the JWKS answered %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxJWKSBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxJWKSBytes {
		return nil, errors.New("the JWKS is too large")
	}
	return parseKeys(body, k.algorithms)
}

// parseKeys reads a key set. It is refused as a whole when it holds no usable key or names one key id twice: which of
// the two would be meant is nobody's to guess. (go-jose takes such sets, and one odd key fails its whole set.)
func parseKeys(body []byte, algorithms []string) (map[string]verificationKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) > maxKeys {
		return nil, errors.New("not a key set")
	}
	keys := make(map[string]verificationKey, len(set.Keys))
	for _, raw := range set.Keys {
		kid, key, ok := parseKey(raw)
		if !ok || !contains(algorithms, key.algorithm) {
			continue
		}
		if _, twice := keys[kid]; twice {
			return nil, errors.New("a key set with one key id twice")
		}
		keys[kid] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("a key set without a usable key")
	}
	return keys, nil
}

func parseKey(raw []byte) (string, verificationKey, bool) {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(raw, &jwk); err != nil || jwk.KeyID == "" || jwk.Use != "" && jwk.Use != "sig" {
		return "", verificationKey{}, false
	}
	// The algorithm is the key's own, never the token's choice.
	algorithm := algorithmOf(jwk.Key)
	if algorithm == "" || jwk.Algorithm != "" && jwk.Algorithm != algorithm || !hasWholeX(raw, algorithm) {
		return "", verificationKey{}, false
	}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", verificationKey{}, false
	}
	return jwk.KeyID, verificationKey{algorithm: algorithm, public: jwk.Key, thumbprint: string(thumbprint)}, true
}

// hasWholeX: go-jose fills up or cuts an Ed25519 key of another length without a word.
func hasWholeX(raw []byte, algorithm string) bool {
	if algorithm != "EdDSA" {
		return true
	}
	var point struct {
		X string `json:"x"`
	}
	if err := json.Unmarshal(raw, &point); err != nil {
		return false
	}
	x, err := base64.RawURLEncoding.DecodeString(point.X)
	return err == nil && len(x) == ed25519.PublicKeySize
}

// algorithmOf gives the one algorithm that a public key verifies here, "" for any other key.
func algorithmOf(key interface{}) string {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return "EdDSA"
	case *rsa.PublicKey:
		if key.N.BitLen() >= minRSAKeyBits {
			return "RS256"
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return "ES256"
		}
	}
	return ""
}

func contains(list []string, text string) bool {
	for _, one := range list {
		if one == text {
			return true
		}
	}
	return false
}
