package autherdualpath

import (
	"context"
	"errors"
	"net/http"
)

// Outcome is what a door does next.
type Outcome int

const (
	// Admitted: issue the session now. The other side's in this browser has ended, and the login is counted.
	Admitted Outcome = iota
	// Denied: show the form's ordinary failure.
	Denied
	// Answered: the answer is written, return.
	Answered
	// MustReset: nothing that was set at Auther is trusted any more; offer the application's own password reset.
	MustReset
)

// PasswordDoor decides about a password at one of the application's own forms or JSON doors. Call it for every attempt.
//
// The password of a moved user is checked at Auther: an old one must not open the door, and only who knows the right one
// may learn that the login has moved. For everybody else check is asked, the application's own check, state included.
//
//	door    a closed list (form, api, ...): it becomes a counter's label
//	userPK  whose password this claims to be; "" when the application knows nobody by that name
func (s *Shim) PasswordDoor(w http.ResponseWriter, r *http.Request, door, userPK, password string, check func() bool) Outcome {
	view, identity, err := s.atDoor(r, userPK)
	if err != nil {
		unverifiable(w, err)
		return Answered
	}
	if !isAtAuther(identity) {
		if !check() {
			return Denied
		}
		if view.acceptsAuther() {
			s.shadow(userPK, identity, password)
		}
		return s.enter(w, r, view, door, identity)
	}
	if !view.acceptsAuther() {
		return MustReset
	}
	said, err := s.verifyPassword(r.Context(), identity.AutherID, password)
	switch {
	case err != nil:
		unverifiable(w, s.outage("checking a password at Auther", err))
		return Answered
	case !*said.Valid || identity.disabled():
		return Denied
	case wantsPage(r):
		s.counters.refusals.WithLabelValues(door, string(view.stage)).Inc()
		s.leadToAuther(w, r, view, identity)
		return Answered
	}
	return s.enter(w, r, view, door, identity)
}

// leadToAuther sends a moved user on; in stage legacy, where no login begins at Auther otherwise, by an attempt of its own.
func (s *Shim) leadToAuther(w http.ResponseWriter, r *http.Request, view *stageView, identity *Identity) {
	returnTo := SafeReturnPath(r.FormValue("return_to"), s.settings.AfterLogin)
	if view.stage == StageLegacy {
		s.goToAuther(w, r, s.newAttempt(returnTo, forDoor, identity.AutherID))
		return
	}
	redirect(w, startURL(returnTo))
}

// Door decides about a session that gains a user in another way: registration, invitation, reset link, remember-me, a
// social login. Call it when the application has made sure who it is and before the session is written.
func (s *Shim) Door(w http.ResponseWriter, r *http.Request, door, userPK string) Outcome {
	view, identity, err := s.atDoor(r, userPK)
	if err != nil {
		unverifiable(w, err)
		return Answered
	}
	return s.enter(w, r, view, door, identity)
}

// ResetLink decides about a password reset link that was sent before the person moved. Admitted: honour it, then ask the
// person to sign in. For a moved user consume is called, which makes the link worthless, and the person is sent to set the
// password at Auther; with Auther out of reach the link stays good.
func (s *Shim) ResetLink(w http.ResponseWriter, r *http.Request, userPK, newPasswordPage string, consume func(context.Context) error) Outcome {
	view, identity, err := s.atDoor(r, userPK)
	if err != nil {
		unverifiable(w, err)
		return Answered
	}
	if !isAtAuther(identity) || !view.acceptsAuther() {
		return Admitted
	}
	var ticket struct {
		URL string `json:"url"`
	}
	body := map[string]string{"id": identity.AutherID, "redirect_to": newPasswordPage}
	err = s.ask(r.Context(), logoutTimeout, s.env.ResetSecret, "/reset-ticket", body, &ticket)
	if err == nil && ticket.URL == "" {
		err = errors.New("no ticket")
	}
	if err == nil {
		err = consume(r.Context())
	}
	if err != nil {
		unverifiable(w, s.outage("a reset ticket", err))
		return Answered
	}
	redirect(w, ticket.URL)
	return Answered
}

// IsAtAuther tells whether a user's password, address and account are changed at Auther by now: password change, e-mail
// change and deletion pages lead there.
func (s *Shim) IsAtAuther(r *http.Request, userPK string) (bool, error) {
	_, identity, err := s.atDoor(r, userPK)
	return err == nil && isAtAuther(identity), err
}

func (s *Shim) atDoor(r *http.Request, userPK string) (*stageView, *Identity, error) {
	view, err := s.viewOf(r)
	if err != nil || userPK == "" {
		return view, nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), databaseTimeout)
	defer cancel()
	identity, err := s.store.ByUser(ctx, userPK)
	if view.stage == StageLegacy && err == nil && identity != nil && identity.AtAuther {
		// This stage ignores homes, but for users with a change at Auther that has not come back yet.
		identity.AtAuther, err = s.store.Unwritten(ctx, identity.AutherID)
		identity.movedBack = !identity.AtAuther
	}
	if view.stage == StageLegacy && err != nil {
		// The legacy side must not depend on the tables that the migration added.
		s.warn("identity lookup failed", err)
		return view, nil, nil
	}
	return view, identity, s.outage("identity lookup", err)
}

func isAtAuther(identity *Identity) bool {
	return identity != nil && identity.AtAuther && !identity.Pinned
}

// enter closes the doors by stage, where a session gains a user.
func (s *Shim) enter(w http.ResponseWriter, r *http.Request, view *stageView, door string, identity *Identity) Outcome {
	if s.isOpen(r, view, identity) {
		s.dropTokenCookie(w, r)
		if identity != nil {
			s.people.forget(identity.UserPK) // a new session begins with what is true now
		}
		s.counters.logins.WithLabelValues(door, "legacy").Inc()
		return Admitted
	}
	s.counters.refusals.WithLabelValues(door, string(view.stage)).Inc()
	if wantsPage(r) {
		redirect(w, startURL(SafeReturnPath(r.FormValue("return_to"), "")))
	} else {
		writeError(w, http.StatusForbidden, "login_moved")
	}
	return Answered
}

func (s *Shim) isOpen(r *http.Request, view *stageView, identity *Identity) bool {
	if view.stage == StageDrain {
		pinned := identity != nil && identity.Pinned
		return pinned || !wantsPage(r) && s.now().Before(s.settings.JSONDoorsUntil)
	}
	return view.stage == StageLegacy || view.stage == StageDual
}
