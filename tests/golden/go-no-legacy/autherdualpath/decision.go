package autherdualpath

import "time"

// kind is what came of looking at Auther's credential.
type kind int

const (
	absent   kind = iota
	valid         // the person is known and may use it
	outdated      // good once, or good elsewhere
	forged        // malformed, or signed by nobody we know
	barred        // disabled or pinned: Auther may not speak for this person
	unlinked      // nothing links the sub to a user here
	foreign       // a bearer of somebody else
	unclear       // nobody can verify it now
)

// finding is Auther's credential after every check.
type finding struct {
	kind      kind
	place     Credential // ByHeader or ByCookie; a header that is present hides the cookie
	reason    string     // why it is not valid, from a closed list
	identity  *Identity
	claims    Claims
	renewable *Identity // whose expired cookie this is, where only its time is over
	err       error     // of an outage
}

// response is what the shim does: let the application answer, or answer itself.
type response int

const (
	pass response = iota
	passForeign
	invalidToken
	foreignBearer
	toLogin
	identityUnlinked
	noVerification
)

// decision is one request's outcome; path, outcome and reason are the counter's labels.
type decision struct {
	path, outcome, reason string
	response              response
	user                  *User
	dropCookie            bool
	err                   error
	waited                time.Duration // how long the request waited for it; 0 where that was not measured
}

// refuse gives what Auther's credential alone decides: every row but those of a good one and of none. It does no input
// or output.
func refuse(f *finding, handOn bool) *decision {
	switch {
	case f.kind == unclear:
		return &decision{path: "auther", outcome: "unavailable", reason: "verification_unavailable", response: noVerification, err: f.err}
	case f.kind == foreign && handOn:
		return &decision{path: "foreign", outcome: "accepted", reason: f.reason, response: passForeign}
	case f.kind == foreign:
		return &decision{path: "foreign", outcome: "refused", reason: f.reason, response: foreignBearer}
	case f.kind == valid || f.kind == absent:
		return nil
	case f.place == ByHeader:
		// Never a fall-through to the cookie: who names a credential means it.
		return &decision{path: "auther", outcome: "refused", reason: f.reason, response: refusalOf(f, invalidToken)}
	case f.kind != outdated:
		return &decision{path: "auther", outcome: "refused", reason: f.reason, response: refusalOf(f, toLogin), dropCookie: true}
	}
	return nil
}

func refusalOf(f *finding, usual response) response {
	if f.kind == unlinked {
		return identityUnlinked
	}
	return usual
}

func (f *finding) user() *User {
	return &User{PK: f.identity.UserPK, AutherID: f.identity.AutherID, Credential: f.place, Claims: f.claims}
}
