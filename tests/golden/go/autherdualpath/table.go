package autherdualpath

import (
	"crypto/sha256"
	"encoding/hex"
)

// Further answers, where two sides have to be told apart.
const (
	legacyEnded response = iota + 100
	loginMoved
	conflictToClient
	conflictToBrowser
)

// legacySide is what the application's own credentials say.
type legacySide struct {
	session    *LegacySession // of the session, or of a remember-me that stands for one
	identity   *Identity      // of that session's user; nil when nothing links it
	holds      bool           // there is a credential, good or not; looked at only when its time is over
	over       bool           // its time is over: stage auther, or drain after the deadline
	remembered bool           // session is what a remember-me stands for
	closed     bool           // a remember-me may no longer become a session
	exchanged  bool           // sessions are being exchanged: until then its person goes on, request by request
}

// signedOut tells whether the person was signed out everywhere after moving to Auther: all legacy sessions end then.
func (l *legacySide) signedOut() bool {
	return l.identity != nil && l.identity.AtAuther && !l.identity.ValidFrom.IsZero()
}

// decide looks the row of the decision table up. It does no input or output.
func decide(legacy *legacySide, f *finding, handOn bool) *decision {
	if d := refuse(f, handOn); d != nil {
		// The session is not used in this request, whoever's it is; and it is not ended either.
		return d
	}
	if f.kind == valid {
		return decideValid(legacy, f)
	}
	return decideLegacy(legacy, f)
}

func decideValid(legacy *legacySide, f *finding) *decision {
	user := f.user()
	switch {
	case legacy.over && legacy.holds:
		return &decision{path: "auther", outcome: "accepted", reason: "legacy_stale", user: user, forgetLegacy: true}
	case legacy.over || legacy.session == nil || legacy.signedOut():
		return &decision{path: "auther", outcome: "accepted", user: user}
	case legacy.session.UserPK == user.PK:
		return &decision{path: "both", outcome: "accepted", user: user}
	}
	conflict := &decision{path: "both", outcome: "refused", reason: "conflict", response: conflictToClient}
	if f.place == ByCookie {
		conflict.response = conflictToBrowser
	}
	conflict.parties = []string{shortHash(legacy.session.UserPK), shortHash(user.PK)}
	return conflict
}

// decideLegacy: the session decides; a cookie whose time is over is as absent, and removed.
func decideLegacy(legacy *legacySide, f *finding) *decision {
	drop := f.kind == outdated
	refuse := func(reason string, with response, forget bool) *decision {
		return &decision{path: "legacy", outcome: "refused", reason: reason, response: with, dropCookie: drop, forgetLegacy: forget}
	}
	switch {
	case legacy.over && legacy.holds:
		return refuse("legacy_refused", legacyEnded, true)
	case legacy.over || legacy.session == nil:
		return &decision{path: "none", outcome: "anonymous", reason: f.reason, dropCookie: drop}
	case legacy.session.State != Active && legacy.session.State != "":
		return refuse("disabled", toLogin, false)
	case legacy.signedOut():
		return refuse("revoked", legacyEnded, true)
	case legacy.remembered && legacy.closed && !legacy.exchanged:
		return refuse("legacy_refused", loginMoved, false)
	}
	accepted := &decision{path: "legacy", outcome: "accepted", dropCookie: drop}
	accepted.user = &User{PK: legacy.session.UserPK, Credential: BySession}
	if legacy.remembered && !legacy.closed {
		accepted.resume = legacy.session
	}
	return accepted
}

// shortHash is enough to see in a log that it is the same person again.
func shortHash(userPK string) string {
	sum := sha256.Sum256([]byte(userPK))
	return hex.EncodeToString(sum[:])[:12]
}
