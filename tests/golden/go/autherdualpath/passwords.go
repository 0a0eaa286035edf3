package autherdualpath

import (
	"context"
	"errors"
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
// these goroutines alone, for seconds at most; more than two at once are left out.
func (s *Shim) shadow(userPK string, identity *Identity, password string) {
	if identity == nil || identity.Pinned || s.env.VerifySecret == "" || s.settings.PluginURL == "" {
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
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout+databaseTimeout)
	defer cancel()
	said, err := s.verifyPassword(ctx, autherID, password)
	if err != nil {
		return "error"
	}
	if err := s.store.Shadow(ctx, userPK, *said.Valid, shadowReason(said.Reason)); err != nil {
		return "error"
	}
	if *said.Valid {
		return "match"
	}
	return "mismatch"
}

func shadowReason(reason string) string {
	switch reason {
	case "no_credential", "banned", "unverified", "unknown_scheme", "pepper_missing", "not_ours":
		return reason
	}
	return ""
}
