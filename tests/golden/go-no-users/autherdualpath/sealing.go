package autherdualpath

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"
)

// sealer encrypts with AES-256-GCM; the form is base64url(iv 12 + ciphertext + tag).
type sealer struct{ aead cipher.AEAD }

func newSealer(purpose, secret string) *sealer {
	key := sha256.Sum256([]byte(purpose + ":" + secret))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // only for a key of another length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &sealer{aead}
}

func (s *sealer) seal(plain []byte) string {
	iv := randomBytes(s.aead.NonceSize())
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(iv, iv, plain, nil))
}

func (s *sealer) open(sealed string) ([]byte, error) {
	data, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(data) < s.aead.NonceSize() {
		return nil, errors.New("not sealed here")
	}
	size := s.aead.NonceSize()
	return s.aead.Open(nil, data[:size], data[size:], nil)
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	if _, err := rand.Read(data); err != nil {
		panic(err) // without random numbers nothing here is safe
	}
	return data
}

func randomText(n int) string { return base64.RawURLEncoding.EncodeToString(randomBytes(n)) }

// A token that is too large for a cookie is kept in the database, encrypted under the cookie's value, which the
// database does not have.
const (
	handlePrefix = "s."
	handleBytes  = 32
)

func isHandle(cookie string) bool { return strings.HasPrefix(cookie, handlePrefix) }

func handleHash(handle string) string {
	sum := sha256.Sum256([]byte(handle))
	return hex.EncodeToString(sum[:])
}

// unsealToken gives the token behind a handle; a handle without one is as an expired token.
func (s *Shim) unsealToken(ctx context.Context, handle string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	sealed, err := s.store.Load(ctx, handleHash(handle))
	if err != nil {
		return "", s.outage("the token store", err)
	}
	if sealed == "" {
		return "", stale("expired")
	}
	token, err := newSealer("migrator_token", handle).open(sealed)
	if err != nil {
		return "", refused("malformed")
	}
	return string(token), nil
}

// setTokenCookie keeps a verified token in this browser, by itself or by a handle. The cookie outlives the token: one that
// the browser has dropped could not be renewed.
func (s *Shim) setTokenCookie(ctx context.Context, w http.ResponseWriter, token string, expires time.Time) error {
	value, until := token, expires.Add(renewableFor)
	if len(token) > maxCookieToken {
		value = handlePrefix + randomText(handleBytes)
		ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
		defer cancel()
		sealed := newSealer("migrator_token", value).seal([]byte(token))
		if err := s.store.Keep(ctx, handleHash(value), sealed, until); err != nil {
			return s.outage("the token store", err)
		}
	}
	s.setCookie(w, tokenCookie, value, until.Sub(s.now()))
	return nil
}

// dropTokenCookie removes the token from this browser, and from the database where it is there.
func (s *Shim) dropTokenCookie(w http.ResponseWriter, r *http.Request) {
	s.dropKeptToken(r)
	s.dropCookie(w, tokenCookie)
}

func (s *Shim) dropKeptToken(r *http.Request) {
	for _, value := range cookieValues(r, s.cookieName(tokenCookie)) {
		if isHandle(value) {
			ctx, cancel := context.WithTimeout(r.Context(), databaseTimeout)
			if err := s.store.Drop(ctx, handleHash(value)); err != nil {
				s.warn("a kept token was not deleted", err)
			}
			cancel()
		}
	}
}
