package autherdualpath

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// start begins a login at Auther.
func (s *Shim) start(w http.ResponseWriter, r *http.Request, p *passage) {
	query := r.URL.Query()
	a := s.newAttempt(query.Get("return_to"), forLogin, "")
	if query.Get("renew") == "1" {
		if f := s.examine(r); f.renewable != nil {
			a.Purpose, a.Sub = forRenewal, f.renewable.AutherID
		}
	}
	s.goToAuther(w, r, a)
}

func (s *Shim) goToAuther(w http.ResponseWriter, r *http.Request, a *attempt) {
	s.remember(w, r, a)
	redirect(w, s.settings.AuthorizeURL+"?"+s.authorizeQuery(a).Encode())
}

// renew sends a browser with an expired token to Auther, which signs the same person in again without asking while its
// own session lives. Navigations only, and not for ever.
func (s *Shim) renew(w http.ResponseWriter, r *http.Request, p *passage, f *finding) bool {
	if r.Method != http.MethodGet || !isNavigation(r) {
		return false
	}
	tried := s.renewalsOf(r)
	if tried >= maxRenewals {
		s.counters.renewals.WithLabelValues("given_up").Inc()
		s.dropCookie(w, renewalsCookie)
		return false
	}
	s.setCookie(w, renewalsCookie, strconv.Itoa(tried+1), 24*time.Hour)
	s.counters.renewals.WithLabelValues("started").Inc()
	s.counters.decided(&decision{path: "auther", outcome: "refused", reason: f.reason}, r)
	redirect(w, startPath+"?"+url.Values{"renew": {"1"}, "return_to": {ownPath(r)}}.Encode())
	return true
}

func (s *Shim) renewalsOf(r *http.Request) int {
	values := cookieValues(r, s.cookieName(renewalsCookie))
	if len(values) == 0 {
		return 0
	}
	tried, err := strconv.Atoi(values[0])
	if err != nil || tried < 0 || len(values) > 1 {
		return maxRenewals
	}
	return tried
}

// callback ends a login at Auther.
func (s *Shim) callback(w http.ResponseWriter, r *http.Request, p *passage) {
	a := s.attemptOf(r)
	if a == nil {
		s.failLogin(w, failed(http.StatusBadRequest, "state"))
		return
	}
	s.dropCookie(w, a.cookie()) // good once
	failure := s.complete(w, r, p, a)
	switch {
	case failure == nil:
		redirect(w, SafeReturnPath(a.ReturnTo, s.settings.AfterLogin))
	default:
		if a.Purpose == forRenewal && failure.reason != "other_user" { // which is counted already
			s.counters.renewals.WithLabelValues("failed").Inc()
		}
		s.failLogin(w, failure)
	}
}

func (s *Shim) complete(w http.ResponseWriter, r *http.Request, p *passage, a *attempt) *loginError {
	query := r.URL.Query()
	if code := query["code"]; query.Has("error") || len(code) != 1 || code[0] == "" {
		return failed(http.StatusBadRequest, "refused_by_auther")
	}
	token, claims, failure := s.redeem(r.Context(), a, query.Get("code"))
	if failure != nil {
		return failure
	}
	if a.Sub != "" && claims.Subject != a.Sub {
		return s.refuseOther(w, r, a)
	}
	f := s.who(r.Context(), claims, ByCookie)
	switch f.kind {
	case valid:
	case unlinked:
		return failed(http.StatusConflict, f.reason)
	case unclear:
		return unverifiableLogin(f.err)
	default:
		return failed(http.StatusForbidden, f.reason)
	}
	if err := s.signIn(w, r, p, f.identity, token, claims); err != nil {
		return unverifiableLogin(err)
	}
	s.counters.logins.WithLabelValues("callback", "auther").Inc()
	if a.Purpose == forRenewal {
		s.counters.renewals.WithLabelValues("ok").Inc()
	}
	return nil
}

// refuseOther: an attempt that was bound to somebody and comes back with somebody else signs in nobody.
func (s *Shim) refuseOther(w http.ResponseWriter, r *http.Request, a *attempt) *loginError {
	if a.Purpose == forRenewal {
		s.counters.renewals.WithLabelValues("other_user").Inc()
		s.dropTokenCookie(w, r)
		s.dropCookie(w, renewalsCookie)
	}
	return failed(http.StatusForbidden, "other_user")
}

func unverifiableLogin(err error) *loginError {
	return &loginError{reason: "verification_unavailable", status: http.StatusServiceUnavailable, err: err}
}

// signIn notes the login and keeps the token.
func (s *Shim) signIn(w http.ResponseWriter, r *http.Request, p *passage, identity *Identity, token string, claims Claims) error {
	ctx, cancel := context.WithTimeout(r.Context(), databaseTimeout)
	defer cancel()
	if err := s.store.SignedIn(ctx, identity.AutherID); err != nil {
		return s.outage("noting the login", err)
	}
	s.dropKeptToken(r)
	if err := s.setTokenCookie(r.Context(), w, token, claims.Expires); err != nil {
		return err
	}
	if len(cookieValues(r, s.cookieName(renewalsCookie))) > 0 {
		s.dropCookie(w, renewalsCookie)
	}
	return nil
}

func (s *Shim) failLogin(w http.ResponseWriter, failure *loginError) {
	s.counters.failures.WithLabelValues(failure.reason).Inc()
	s.counters.line(logLine{Event: "auther_login_failed", Reason: &failure.reason})
	if failure.status == http.StatusServiceUnavailable {
		setRetryAfter(w, failure.err)
	}
	writePage(w, failure.status, failedPage, failure.reason)
}

// logout ends the sign-in in this browser, and Auther's own session.
func (s *Shim) logout(w http.ResponseWriter, r *http.Request, p *passage) {
	if !isSameOrigin(r, s.settings.origin()) {
		writeError(w, http.StatusForbidden, "csrf")
		return
	}
	s.EndSession(w, r)
	redirect(w, s.settings.AfterLogin)
}

// endAutherSide ends Auther's side in this browser, and Auther's own session best effort.
func (s *Shim) endAutherSide(w http.ResponseWriter, r *http.Request) {
	s.counters.logouts.WithLabelValues(s.endAutherSession(r.Context(), s.subOf(r))).Inc()
	s.dropTokenCookie(w, r)
}

// subOf gives whose token this browser holds, expired or not; "" for nobody. An old one that somebody found must not sign
// its person out for ever.
func (s *Shim) subOf(r *http.Request) string {
	tokens := cookieValues(r, s.cookieName(tokenCookie))
	if len(tokens) != 1 {
		return ""
	}
	token := tokens[0]
	if isHandle(token) {
		var err error
		if token, err = s.unsealToken(r.Context(), token); err != nil {
			return ""
		}
	}
	// The claims are there with a refusal too, if the signature is good.
	claims, err := s.verifier.verify(r.Context(), s.verifier.open(token))
	var why *refusal
	if errors.As(err, &why) && why.reason != "expired" || !s.now().Before(claims.Expires.Add(renewableFor)) {
		return ""
	}
	return claims.Subject
}
