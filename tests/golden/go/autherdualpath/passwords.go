package autherdualpath

import (
	"context"
	"errors"
	"unicode/utf8"
)

const shadowsAtOnce = 2

// verdict is what Auther says to a password without signing anybody in.
type verdict struct {
	Valid  *bool  `json:"valid"`
	Reason string `json:"reason"`
}

func (s *Shim) verifyPassword(ctx context.Context, autherID, password string) (verdict, error) {
	var said verdict
	body := map[string]string{"id": autherID, "password": password}
	err := s.ask(ctx, checkTimeout, s.env.VerifySecret, "/verify", body, &said)
	if err == nil && said.Valid == nil {
		err = errors.New("no verdict")
	}
	return said, err
}

// shadow asks Auther whether a password that the application has just accepted would sign in there too, so that a wrong
// pepper shows before anybody depends on it. Beside the request: it delays and decides nothing. The password lives in
// these goroutines alone, for seconds at most; more than two at once are left out. Where Auther has no password for the
// user, or one that it cannot verify, it may be given this one.
func (s *Shim) shadow(userPK string, identity *Identity, password string) {
	if identity == nil || identity.Pinned || identity.movedBack || s.env.VerifySecret == "" || s.settings.PluginURL == "" {
		return
	}
	select {
	case s.shadows <- struct{}{}:
	default:
		s.counters.shadow.WithLabelValues("skipped").Inc()
		return
	}
	go func() {
		defer func() { <-s.shadows }()
		s.counters.shadow.WithLabelValues(s.shadowResult(userPK, identity.AutherID, password)).Inc()
	}()
}

func (s *Shim) shadowResult(userPK, autherID, password string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*checkTimeout+databaseTimeout)
	defer cancel()
	said, err := s.verifyPassword(ctx, autherID, password)
	if err != nil {
		return "error"
	}
	matched, reason := *said.Valid, shadowReason(said.Reason)
	if !matched && s.capture(ctx, autherID, password, reason) {
		matched, reason = true, ""
	}
	if err := s.store.Shadow(ctx, userPK, matched, reason); err != nil {
		return "error"
	}
	if matched {
		return "match"
	}
	return "mismatch"
}

// capture gives Auther a password that it lacks, once, and tells whether Auther has it from now on.
func (s *Shim) capture(ctx context.Context, autherID, password, reason string) bool {
	lacks := reason == "no_credential" || reason == "unknown_scheme"
	// JSON would make another password of one that is not UTF-8.
	if !lacks || s.env.CaptureSecret == "" || !utf8.ValidString(password) {
		return false
	}
	var said struct {
		Outcome string `json:"outcome"`
	}
	result, body := "left", map[string]string{"id": autherID, "password": password}
	if err := s.ask(ctx, checkTimeout, s.env.CaptureSecret, "/capture", body, &said); err != nil {
		result = "failed"
	} else if said.Outcome == "captured" {
		result = "captured"
	}
	s.counters.captures.WithLabelValues(result).Inc()
	return result == "captured"
}

func shadowReason(reason string) string {
	switch reason {
	case "no_credential", "banned", "unverified", "unknown_scheme", "pepper_missing", "not_ours":
		return reason
	}
	return ""
}
