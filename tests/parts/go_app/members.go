package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
	"golang.org/x/crypto/bcrypt"

	"club/autherdualpath"
)

const (
	sessionCookie  = "_club_session"
	rememberCookie = "remember_club_token"
	saltLength     = 29
	rememberFor    = 14 * 24 * time.Hour
)

// member is a row of a users table as Devise keeps it.
type member struct {
	pk, hash string
	account  autherdualpath.Account
}

func (m *member) state() autherdualpath.AccountState {
	rules := autherdualpath.DeviseRules{UnlockIn: time.Hour, MaximumAttempts: 20}
	return rules.State(m.account, time.Now())
}

func (m *member) isActive() bool { return m.state() == autherdualpath.Active }

// salt ties sessions to the password, as Devise does: a new one ends them.
func (m *member) salt() string {
	if len(m.hash) < saltLength {
		return m.hash
	}
	return m.hash[:saltLength]
}

// members is the club's own sign-in: sessions and remember-me in encrypted cookies.
type members struct {
	db       *sql.DB
	pepper   string
	store    *sessions.CookieStore
	remember *securecookie.SecureCookie
}

func newMembers(db *sql.DB, secret, pepper string) *members {
	signing, encryption := sha256.Sum256([]byte("sign "+secret)), sha256.Sum256([]byte("encrypt "+secret))
	store := sessions.NewCookieStore(signing[:], encryption[:])
	store.Options = &sessions.Options{Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	remember := securecookie.New(signing[:], encryption[:]).MaxAge(int(rememberFor / time.Second))
	return &members{db: db, pepper: pepper, store: store, remember: remember}
}

// session gives this browser's session, a new one where there is none or a foreign one. Not through gorilla's registry,
// which would keep it for the whole request.
func (m *members) session(r *http.Request) *sessions.Session {
	session, _ := m.store.New(r, sessionCookie)
	return session
}

// Holds implements autherdualpath.Detector.
func (m *members) Holds(r *http.Request) bool {
	_, named := m.session(r).Values["user"]
	_, remembered := m.remembered(r)
	return named || remembered
}

// Forget implements autherdualpath.Detector.
func (m *members) Forget(w http.ResponseWriter, r *http.Request, whole bool) error {
	if _, err := r.Cookie(rememberCookie); err == nil {
		http.SetCookie(w, &http.Cookie{Name: rememberCookie, Path: "/", MaxAge: -1, HttpOnly: true})
	}
	if _, err := r.Cookie(sessionCookie); err != nil {
		return nil
	}
	session := m.session(r)
	if whole {
		session.Options.MaxAge = -1
	}
	delete(session.Values, "user")
	delete(session.Values, "salt")
	return session.Save(r, w)
}

// Cookies implements autherdualpath.Detector.
func (m *members) Cookies() []string { return []string{sessionCookie, rememberCookie} }

// Fixture implements autherdualpath.Detector.
func (m *members) Fixture() (*http.Request, error) {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	session := m.session(r)
	session.Values["user"], session.Values["salt"] = "-1", ""
	if err := session.Save(r, w); err != nil {
		return nil, err
	}
	for _, cookie := range w.Result().Cookies() {
		r.AddCookie(cookie)
	}
	return r, nil
}

// Read implements autherdualpath.Sessions.
func (m *members) Read(r *http.Request) (*autherdualpath.LegacySession, error) {
	values := m.session(r).Values
	pk, _ := values["user"].(string)
	salt, _ := values["salt"].(string)
	return m.legacySession(r.Context(), pk, salt)
}

// Remembered implements autherdualpath.Sessions.
func (m *members) Remembered(r *http.Request) (*autherdualpath.LegacySession, error) {
	named, ok := m.remembered(r)
	if !ok {
		return nil, nil
	}
	return m.legacySession(r.Context(), named["user"], named["salt"])
}

// Resume implements autherdualpath.Sessions.
func (m *members) Resume(w http.ResponseWriter, r *http.Request, session *autherdualpath.LegacySession) error {
	found, err := m.one(r.Context(), "id = $1", session.UserPK)
	if err == nil && found != nil {
		m.signIn(w, r, found, false)
	}
	return err
}

func (m *members) remembered(r *http.Request) (map[string]string, bool) {
	cookie, err := r.Cookie(rememberCookie)
	if err != nil {
		return nil, false
	}
	named := map[string]string{}
	return named, m.remember.Decode(rememberCookie, cookie.Value, &named) == nil
}

func (m *members) legacySession(ctx context.Context, pk, salt string) (*autherdualpath.LegacySession, error) {
	if pk == "" {
		return nil, nil
	}
	found, err := m.one(ctx, "id = $1", pk)
	if err != nil || found == nil || subtle.ConstantTimeCompare([]byte(found.salt()), []byte(salt)) != 1 {
		return nil, err
	}
	return &autherdualpath.LegacySession{UserPK: pk, State: found.state()}, nil
}

// signIn writes the session of somebody whom a door admitted.
func (m *members) signIn(w http.ResponseWriter, r *http.Request, member *member, remember bool) {
	session := m.session(r)
	session.Values["user"], session.Values["salt"] = member.pk, member.salt()
	_ = session.Save(r, w)
	if !remember {
		return
	}
	sealed, err := m.remember.Encode(rememberCookie, map[string]string{"user": member.pk, "salt": member.salt()})
	if err == nil {
		http.SetCookie(w, &http.Cookie{
			Name: rememberCookie, Value: sealed, Path: "/", MaxAge: int(rememberFor / time.Second), HttpOnly: true,
			SameSite: http.SameSiteLaxMode,
		})
	}
}

// csrf gives the token of this browser's forms; a session without a user is made for it if need be.
func (m *members) csrf(w http.ResponseWriter, r *http.Request) string {
	session := m.session(r)
	if token, ok := session.Values["csrf"].(string); ok {
		return token
	}
	random := make([]byte, 24)
	_, _ = rand.Read(random)
	token := base64.RawURLEncoding.EncodeToString(random)
	session.Values["csrf"] = token
	_ = session.Save(r, w)
	return token
}

func (m *members) rightCSRF(r *http.Request) bool {
	kept, _ := m.session(r).Values["csrf"].(string)
	sent := r.Header.Get("X-CSRF-Token")
	if sent == "" {
		sent = r.PostFormValue("csrf")
	}
	return kept != "" && subtle.ConstantTimeCompare([]byte(kept), []byte(sent)) == 1
}

func (m *members) rightPassword(member *member, password string) bool {
	// bcrypt counts 72 bytes only; Devise puts the pepper behind the password.
	peppered := []byte(password + m.pepper)
	if len(peppered) > 72 {
		peppered = peppered[:72]
	}
	return member.hash != "" && bcrypt.CompareHashAndPassword([]byte(member.hash), peppered) == nil
}

func (m *members) byEmail(ctx context.Context, email string) (*member, error) {
	return m.one(ctx, "email = $1", strings.ToLower(strings.TrimSpace(email)))
}

func (m *members) byResetToken(ctx context.Context, token string) (*member, error) {
	if token == "" {
		return nil, nil
	}
	digest := sha256.Sum256([]byte(token))
	return m.one(ctx, "reset_password_token = $1", hex.EncodeToString(digest[:]))
}

func (m *members) consumeReset(ctx context.Context, member *member) error {
	_, err := m.db.ExecContext(ctx, "UPDATE users SET reset_password_token = NULL WHERE id = $1", member.pk)
	return err
}

func (m *members) one(ctx context.Context, condition string, value string) (*member, error) {
	found := &member{account: autherdualpath.Account{Confirmable: true}}
	account := &found.account
	row := m.db.QueryRowContext(ctx, `SELECT id::text, coalesce(encrypted_password, ''), locked_at::text, confirmed_at::text,
		deleted_at::text, coalesce(failed_attempts, 0) FROM users WHERE `+condition, value)
	err := row.Scan(&found.pk, &found.hash, &account.LockedAt, &account.ConfirmedAt, &account.DeletedAt, &account.FailedAttempts)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return found, err
}
