package autherdualpath

import (
	"encoding/json"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Cookies that this package owns.
const (
	tokenCookie    = "auther_id_token"
	attemptCookie  = "auther_login_"
	renewalsCookie = "auther_renewals"
)

var failedPage = template.Must(template.New("failed").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign-in not completed</title></head>
<body><h1>The sign-in was not completed</h1>
<p>You have not been signed in. The reason: <code>{{.}}</code>.</p>
<p><a href="/auth/auther/start">Try again</a></p></body></html>
`))

// Error codes of refusals; what a browser is redirected for is said in words to whoever cannot follow.
var errorCodes = map[response]string{
	invalidToken:  "invalid_token",
	foreignBearer: "foreign_bearer",
	toLogin:       "invalid_token",

	legacyEnded:       "legacy_ended",
	conflictToClient:  "auth_conflict",
	conflictToBrowser: "auth_conflict",
}

// answer gives the answer for a decision that does not reach the application.
func (s *Shim) answer(w http.ResponseWriter, r *http.Request, d *decision) {
	page := isNavigation(r)
	switch {
	case d.response == noVerification:
		unverifiable(w, d.err)
	case d.response == identityUnlinked:
		writeError(w, http.StatusConflict, "identity_unlinked")
	case page && d.response == conflictToBrowser:
		redirect(w, conflictPath)
	case page && (d.response == toLogin || d.response == legacyEnded):
		redirect(w, s.LoginURL(w, r, ownPath(r), ""))
	case page && d.response == loginMoved:
		redirect(w, startURL(ownPath(r)))
	case d.response == loginMoved:
		writeError(w, http.StatusForbidden, "login_moved")
	default:
		unauthorized(w, errorCodes[d.response])
	}
}

func unauthorized(w http.ResponseWriter, code string) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	writeError(w, http.StatusUnauthorized, code)
}

func unverifiable(w http.ResponseWriter, err error) {
	setRetryAfter(w, err)
	writeError(w, http.StatusServiceUnavailable, "verification_unavailable")
}

func setRetryAfter(w http.ResponseWriter, err error) {
	wait := math.Ceil(retryAfter(err).Seconds())
	w.Header().Set("Retry-After", strconv.Itoa(int(wait)))
}

func writeError(w http.ResponseWriter, status int, code string) {
	body, _ := json.Marshal(map[string]string{"error": code}) // a map of texts cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}

func writePage(w http.ResponseWriter, status int, page *template.Template, value string) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	// No form-action: Chrome applies it to the redirects behind a form as well, and these lead to Auther.
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = page.Execute(w, value)
}

// redirect sends the browser on with GET. Not http.Redirect, which rewrites the path by the request's own.
func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}

func startURL(returnTo string) string {
	if returnTo == "" {
		return startPath
	}
	return startPath + "?" + url.Values{"return_to": {returnTo}}.Encode()
}

// cookieName gives a cookie's full name: __Host- keeps sub-domains from planting it; browsers take it over https only.
func (s *Shim) cookieName(name string) string {
	if s.settings.secureCookies() {
		return "__Host-" + name
	}
	return name
}

// setCookie writes a cookie of the whole origin, HttpOnly, without a Domain (__Host- forbids one); age 0: until the
// browser ends.
func (s *Shim) setCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	http.SetCookie(w, s.cookie(name, value, age))
}

func (s *Shim) cookie(name, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(age / time.Second),
		Secure: s.settings.secureCookies(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

func (s *Shim) dropCookie(w http.ResponseWriter, name string) {
	gone := s.cookie(name, "", 0)
	gone.MaxAge = -1
	http.SetCookie(w, gone)
}
