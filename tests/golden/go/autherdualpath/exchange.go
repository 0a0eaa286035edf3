package autherdualpath

import (
	"net/http"
	"net/url"
)

// exchange turns a legacy session, or a remember-me, into an Auther session without a password. Two hops, since Auther is
// another origin: there for a nonce, back here for a ticket, and there again to redeem it. Navigations only.
func (s *Shim) exchange(w http.ResponseWriter, r *http.Request, p *passage, legacy *legacySide) bool {
	if !s.mayExchange(r, p.view, legacy) {
		return false
	}
	a := s.newAttempt(ownPath(r), forExchange, legacy.identity.AutherID)
	s.remember(w, r, a)
	// Set before anything can go wrong: whoever comes back from an Auther that is down goes on with the legacy session.
	s.setCookie(w, pauseCookie, "1", pauseLifetime)
	s.counters.exchanges.WithLabelValues("started").Inc()
	s.counters.decided(&decision{path: "legacy", outcome: "accepted"}, r, p.view.stage, false)
	s.background.seen(legacy.session.UserPK)
	to := url.Values{"client_id": {s.settings.ClientID}, "to": {s.settings.origin() + exchangePath}, "state": {a.State}}
	redirect(w, s.settings.PluginURL+"/exchange/start?"+to.Encode())
	return true
}

func (s *Shim) mayExchange(r *http.Request, view *stageView, legacy *legacySide) bool {
	if !s.exchanges(view) || r.Method != http.MethodGet || !isNavigation(r) || r.URL.Path == s.loginPath {
		return false
	}
	who := legacy.identity
	return who != nil && who.State == Active && !who.Pinned && !legacy.signedOut() &&
		len(cookieValues(r, s.cookieName(tokenCookie))) == 0 && len(cookieValues(r, s.cookieName(pauseCookie))) == 0
}

// exchanges tells whether sessions are being exchanged at this stage.
func (s *Shim) exchanges(view *stageView) bool {
	stage := view.stage == StageDrain || view.stage == StageDual && s.settings.ExchangeInDual
	return stage && !view.legacyIsOver(s.now()) && s.env.ExchangeSecret != "" && s.settings.PluginURL != ""
}

// exchangeReturn is where Auther's exchange/start comes back to.
func (s *Shim) exchangeReturn(w http.ResponseWriter, r *http.Request, p *passage) {
	a := s.attemptOf(r)
	if a == nil || a.Purpose != forExchange {
		s.failLogin(w, failed(http.StatusBadRequest, "state"))
		return
	}
	if !s.exchanges(p.view) {
		s.abandonExchange(w, a, "stage")
		return
	}
	if !s.isStill(r, p.view, a.Sub) {
		s.abandonExchange(w, a, "changed")
		return
	}
	var ticket struct {
		Ticket string `json:"ticket"`
	}
	body := map[string]string{
		"id": a.Sub, "client_id": s.settings.ClientID, "nonce_hash": r.URL.Query().Get("nonce_hash"), "code_challenge": a.challenge(),
	}
	err := s.ask(r.Context(), tokenTimeout, s.env.ExchangeSecret, "/exchange/ticket", body, &ticket)
	if err != nil || ticket.Ticket == "" {
		s.warn("no exchange ticket", err)
		s.abandonExchange(w, a, "ticket")
		return
	}
	query := s.authorizeQuery(a)
	query.Set("ticket", ticket.Ticket)
	redirect(w, s.settings.PluginURL+"/exchange/redeem?"+query.Encode())
}

// isStill tells whether this browser still has the legacy session that the exchange began with.
func (s *Shim) isStill(r *http.Request, view *stageView, autherID string) bool {
	legacy, err := s.legacySide(r, view, &finding{})
	return err == nil && legacy.identity != nil && legacy.identity.AutherID == autherID && legacy.identity.State == Active
}

// abandonExchange goes on with the legacy session; the pause has begun with the exchange.
func (s *Shim) abandonExchange(w http.ResponseWriter, a *attempt, reason string) {
	result := "failed"
	if reason == "other_user" {
		result = reason
	}
	s.counters.exchanges.WithLabelValues(result).Inc()
	s.counters.line(logLine{Event: "exchange_failed", Reason: &reason})
	s.dropCookie(w, a.cookie())
	redirect(w, SafeReturnPath(a.ReturnTo, s.settings.AfterLogin))
}
