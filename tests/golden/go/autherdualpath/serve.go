package autherdualpath

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Further paths that this package answers itself.
const (
	exchangePath = "/auth/auther/exchange"
	conflictPath = "/auth/conflict"
)

// startLegacySide makes what only the cutover needs.
func (s *Shim) startLegacySide(ctx context.Context, c Config) error {
	s.sessions, s.detector, s.loginPath = c.Sessions, c.Detector, c.LoginPath
	if s.sessions != nil {
		s.detector = s.sessions
	}
	if s.detector == nil {
		return errors.New("autherdualpath: Config needs Sessions or Detector")
	}
	if s.loginPath == "" {
		s.loginPath = "/login"
	}
	s.counters.legacyCounters = newLegacyCounters(s.counters)
	s.stage = newStageReader(s.settings, s.env.StageFile, s.env.StageCache, s.log)
	s.control = &control{secret: s.env.ControlSecret, now: s.now, used: make(map[string]time.Time)}
	s.people = &peopleCache{known: make(map[string]knownPerson)}
	s.shadows = make(chan struct{}, shadowsAtOnce)
	s.background = newBackground(s)
	go s.stage.run(ctx)
	go s.background.run(ctx)
	return nil
}

// Middleware puts the user into the request's context, or answers itself. The ResponseWriter that it hands on can do what
// the one that it was given can: flush, hijack, push.
func (s *Shim) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == metricsPath {
			s.serveMetrics(w, r)
			return
		}
		exempt := s.exempt[r.URL.Path] && isPlainPath(r.URL)
		view, err := s.stage.now()
		if err != nil && exempt {
			next.ServeHTTP(w, r)
			return
		}
		if err != nil {
			d := &decision{path: "none", outcome: "unavailable", reason: "verification_unavailable"}
			s.counters.decided(d, r, "unknown", false)
			unverifiable(w, err)
			return
		}
		p := &passage{shim: s, view: view}
		r = r.WithContext(context.WithValue(r.Context(), contextKey{}, p))
		switch {
		case r.Header[controlHeader] != nil && s.control.accepts(r.Header.Get(controlHeader)):
			// Before the decision, on the same counting line: it proves that legacy use would be seen.
			s.counters.decided(&decision{path: "legacy", outcome: "accepted"}, r, view.stage, true)
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNoContent)
		case s.serveOwn(w, r, p):
		case exempt:
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
		exchangePath:              {http.MethodGet: s.exchangeReturn},
		logoutPath:                {http.MethodPost: s.logout},
		conflictPath:              {http.MethodGet: s.showConflict, http.MethodPost: s.clearConflict},
	}
}

func (s *Shim) serve(w http.ResponseWriter, r *http.Request, p *passage, next http.Handler) {
	began := time.Now()
	f := s.examine(r)
	if f.renewable != nil && s.renew(w, r, p, f) {
		return
	}
	legacy, err := s.legacySide(r, p.view, f)
	if err != nil {
		f = &finding{kind: unclear, err: s.outage("the legacy session", err)}
	}
	d := decide(legacy, f, isBelow(r.URL, s.settings.ForeignPaths) && len(r.Header["Authorization"]) == 1)
	if d.response == pass && d.path == "legacy" || d.response == loginMoved {
		if s.exchange(w, r, p, legacy) {
			return
		}
	}
	d.waited = time.Since(began)
	s.counters.decided(d, r, p.view.stage, false)
	s.act(w, r, p, d, next)
}

func (s *Shim) act(w http.ResponseWriter, r *http.Request, p *passage, d *decision, next http.Handler) {
	if d.dropCookie {
		s.dropTokenCookie(w, r)
	}
	if d.forgetLegacy {
		if err := s.detector.Forget(w, r, false); err != nil {
			s.warn("a legacy session was not ended", err)
		}
	}
	if d.response == loginMoved {
		s.counters.refusals.WithLabelValues("remember_me", string(p.view.stage)).Inc()
	}
	if d.resume != nil {
		s.resume(w, r, d.resume)
	}
	if d.user != nil && d.user.Credential == BySession {
		s.background.seen(d.user.PK)
	}
	redirects := d.response == toLogin || d.response == legacyEnded
	switch {
	case d.response == passForeign:
		hidden := append([]string{s.cookieName(tokenCookie)}, s.detector.Cookies()...)
		s.handOn(next, w, withoutCookies(r, hidden), d)
	case d.response == pass, redirects && isNavigation(r) && r.URL.Path == s.loginPath:
		// The login page must not lead to itself.
		p.user = d.user
		s.handOn(next, w, r, d)
	default:
		s.answer(w, r, d)
	}
}

// resume: a remember-me is a door too.
func (s *Shim) resume(w http.ResponseWriter, r *http.Request, session *LegacySession) {
	if err := s.sessions.Resume(w, r, session); err != nil {
		s.warn("a remember-me did not become a session", err)
		return
	}
	s.counters.logins.WithLabelValues("remember_me", "legacy").Inc()
}

// legacySide asks the application's own sign-in. Where legacy credentials are over they are only looked for.
func (s *Shim) legacySide(r *http.Request, view *stageView, f *finding) (*legacySide, error) {
	if s.sessions == nil || view.legacyIsOver(s.now()) {
		return &legacySide{over: true, holds: s.detector.Holds(r)}, nil
	}
	session, err := s.sessions.Read(r)
	if err != nil {
		return nil, err
	}
	legacy := &legacySide{session: session}
	if session == nil && f.kind != valid {
		if legacy.session, err = s.sessions.Remembered(r); err != nil {
			return nil, err
		}
		legacy.remembered, legacy.closed = legacy.session != nil, view.stage == StageDrain
		legacy.exchanged = s.exchanges(view)
	}
	if legacy.session == nil || view.stage == StageLegacy {
		return legacy, nil
	}
	legacy.identity = s.linked(legacy.session.UserPK)
	if legacy.identity != nil && legacy.identity.Pinned {
		legacy.closed = false
	}
	return legacy, nil
}

// beat gives what this instance reports; nothing while the stage is unknown.
func (s *Shim) beat() (Beat, bool) {
	view, err := s.stage.now()
	if err != nil {
		return Beat{}, false
	}
	return Beat{
		Instance: s.env.Instance, Build: s.settings.Build, Baked: string(s.settings.BakedStage), Stage: string(view.stage),
		Epoch: view.epoch, Source: view.origin, LegacyCapable: s.sessions != nil,
	}, true
}

func (s *Shim) info() Beat {
	if beat, ok := s.beat(); ok {
		return beat
	}
	baked := string(s.settings.BakedStage)
	return Beat{Instance: s.env.Instance, Build: s.settings.Build, Baked: baked, Stage: "unknown", Source: "none"}
}

// checkDetector sends a session made in memory through the detector. A renamed cookie would otherwise blind it.
func (s *Shim) checkDetector() {
	sees := 0.0
	if r, err := s.detector.Fixture(); err != nil {
		s.warn("no fixture session", err)
	} else if s.detector.Holds(r) {
		sees = 1
	}
	s.counters.fixture.Set(sees)
}

// LoginURL says where a login leads from here: to Auther by stage, and in dual by this browser's bucket, else to the
// application's own form. Call it before the response begins: it may set the bucket's cookie.
//
//	cohort  a group of the application's own making (a tenant, the staff) that the switch may move first; "" for none
func (s *Shim) LoginURL(w http.ResponseWriter, r *http.Request, returnTo, cohort string) string {
	returnTo = SafeReturnPath(returnTo, "")
	if s.sendsToAuther(w, r, cohort) {
		return startURL(returnTo)
	}
	if returnTo == "" {
		return s.loginPath
	}
	return s.loginPath + "?" + url.Values{"return_to": {returnTo}}.Encode()
}

func (s *Shim) sendsToAuther(w http.ResponseWriter, r *http.Request, cohort string) bool {
	view, err := s.viewOf(r)
	if err != nil || view.stage == StageLegacy {
		return false
	}
	keys := cookieValues(r, s.cookieName(bucketCookie))
	if len(keys) == 0 {
		keys = []string{randomText(16)}
		s.setCookie(w, bucketCookie, keys[0], bucketLifetime)
	}
	return view.sendsToAuther(keys[0], cohort)
}

// viewOf gives the stage that this request began with.
func (s *Shim) viewOf(r *http.Request) (*stageView, error) {
	if p, ok := r.Context().Value(contextKey{}).(*passage); ok {
		return p.view, nil
	}
	return s.stage.now()
}

// moveIn moves the person's home and ends the legacy session in this browser, before the token is kept.
func (s *Shim) moveIn(ctx context.Context, w http.ResponseWriter, r *http.Request, p *passage, identity *Identity) error {
	note := s.store.SignedIn
	if p.view.stage == StageDual || p.view.stage == StageDrain {
		note = s.store.Move
	}
	if err := note(ctx, identity.AutherID); err != nil {
		return s.outage("moving home", err)
	}
	s.people.forget(identity.UserPK)
	if err := s.detector.Forget(w, r, s.isOthers(r, identity.UserPK)); err != nil {
		return s.outage("ending the legacy session", err)
	}
	if len(cookieValues(r, s.cookieName(pauseCookie))) > 0 {
		s.dropCookie(w, pauseCookie)
	}
	return nil
}

// isOthers tells whether the legacy session in this browser is somebody else's: it goes as a whole then.
func (s *Shim) isOthers(r *http.Request, userPK string) bool {
	if s.sessions == nil {
		return false
	}
	session, err := s.sessions.Read(r)
	return err != nil || session != nil && session.UserPK != userPK
}

// EndSessions ends both sides in this browser, and Auther's own session best effort. For an application's own logout
// page, which checks its CSRF token first. An error means that the legacy session still lives.
func (s *Shim) EndSessions(w http.ResponseWriter, r *http.Request) error {
	if err := s.detector.Forget(w, r, true); err != nil {
		return s.outage("ending the legacy session", err)
	}
	s.endAutherSide(w, r)
	return nil
}
