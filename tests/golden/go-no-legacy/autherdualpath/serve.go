package autherdualpath

import (
	"context"
	"net/http"
	"time"
)

// Middleware puts the user into the request's context, or answers itself. The ResponseWriter that it hands on can do what
// the one that it was given can: flush, hijack, push.
func (s *Shim) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &passage{shim: s}
		r = r.WithContext(context.WithValue(r.Context(), contextKey{}, p))
		switch {
		case r.URL.Path == metricsPath:
			s.serveMetrics(w, r)
		case s.serveOwn(w, r, p):
		case s.exempt[r.URL.Path] && isPlainPath(r.URL):
			next.ServeHTTP(w, r)
		default:
			s.serve(w, r, p, next)
		}
	})
}

// ownRoutes are the paths that this package answers itself, by method.
func (s *Shim) ownRoutes() map[string]map[string]ownHandler {
	return map[string]map[string]ownHandler{
		startPath:                 {http.MethodGet: s.start},
		s.settings.callbackPath(): {http.MethodGet: s.callback},
		logoutPath:                {http.MethodPost: s.logout},
	}
}

func (s *Shim) serve(w http.ResponseWriter, r *http.Request, p *passage, next http.Handler) {
	began := time.Now()
	f := s.examine(r)
	if f.renewable != nil && s.renew(w, r, p, f) {
		return
	}
	d := refuse(f, isBelow(r.URL, s.settings.ForeignPaths) && len(r.Header["Authorization"]) == 1)
	if d == nil {
		d = &decision{path: "none", outcome: "anonymous", reason: f.reason, dropCookie: f.kind == outdated}
	}
	if f.kind == valid {
		d = &decision{path: "auther", outcome: "accepted", user: f.user()}
	}
	d.waited = time.Since(began)
	s.counters.decided(d, r)
	if d.dropCookie {
		s.dropTokenCookie(w, r)
	}
	switch d.response {
	case pass:
		p.user = d.user
		s.handOn(next, w, r, d)
	case passForeign:
		s.handOn(next, w, withoutCookies(r, []string{s.cookieName(tokenCookie)}), d)
	default:
		s.answer(w, r, d)
	}
}

// LoginURL says where a login begins that comes back to a path of this origin.
func LoginURL(returnTo string) string { return startURL(SafeReturnPath(returnTo, "")) }

// EndSession ends the sign-in in this browser, and Auther's own session best effort. For an application's own logout
// page, which checks its CSRF token first.
func (s *Shim) EndSession(w http.ResponseWriter, r *http.Request) { s.endAutherSide(w, r) }
