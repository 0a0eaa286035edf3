package autherdualpath

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
)

// A proxy may join two Authorization headers with a comma, which no bearer contains.
var bearerSomewhere = regexp.MustCompile(`(?i)(^|,)\s*bearer\b`)

// examine finds Auther's credential in a request and says what it is worth. Every doubt is a refusal, every outage
// unclear. A token in the query is never looked at.
func (s *Shim) examine(r *http.Request) *finding {
	headers := r.Header["Authorization"]
	if len(headers) > 1 {
		// One reader would take the first, another the last: nobody gets to choose.
		return &finding{kind: foreign, place: ByHeader, reason: "foreign_bearer"}
	}
	if len(headers) == 1 && strings.TrimSpace(headers[0]) != "" {
		if !bearerSomewhere.MatchString(headers[0]) {
			return &finding{kind: absent, reason: "other_scheme"}
		}
		return s.examineBearer(r.Context(), headers[0])
	}
	tokens := cookieValues(r, s.cookieName(tokenCookie))
	switch len(tokens) {
	case 0:
		return &finding{kind: absent}
	case 1:
		return s.examineCookie(r.Context(), tokens[0])
	}
	return &finding{kind: forged, place: ByCookie, reason: "malformed"}
}

func (s *Shim) examineBearer(ctx context.Context, header string) *finding {
	scheme, token, _ := strings.Cut(strings.TrimSpace(header), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "bearer") || strings.ContainsAny(token, " ,\t") {
		return &finding{kind: foreign, place: ByHeader, reason: "foreign_bearer"}
	}
	t := s.verifier.open(token)
	if !s.verifier.isCandidate(t) {
		return &finding{kind: foreign, place: ByHeader, reason: "foreign_bearer"}
	}
	return s.judge(ctx, t, ByHeader)
}

func (s *Shim) examineCookie(ctx context.Context, token string) *finding {
	if isHandle(token) {
		var err error
		if token, err = s.unsealToken(ctx, token); err != nil {
			return s.refusedAs(err, ByCookie)
		}
	}
	return s.judge(ctx, s.verifier.open(token), ByCookie)
}

func (s *Shim) judge(ctx context.Context, t *openToken, place Credential) *finding {
	claims, err := s.verifier.verify(ctx, t)
	if err == nil {
		return s.who(ctx, claims, place)
	}
	f := s.refusedAs(err, place)
	var why *refusal
	if errors.As(err, &why) && why.signed && why.reason == "expired" && place == ByCookie {
		// Nobody is made a user by a token whose time is over.
		if known, err := s.known(ctx, claims); err == nil && standing(known, claims, place).kind == valid {
			f.renewable = known
		}
	}
	return f
}

// refusedAs turns an error of the verification into a finding.
func (s *Shim) refusedAs(err error, place Credential) *finding {
	var why *refusal
	if !errors.As(err, &why) {
		return &finding{kind: unclear, place: place, err: err}
	}
	if why.stale {
		return &finding{kind: outdated, place: place, reason: why.reason}
	}
	return &finding{kind: forged, place: place, reason: why.reason}
}

// who says whose token this is; asked anew for each request, since people are locked and signed out meanwhile.
func (s *Shim) who(ctx context.Context, claims Claims, place Credential) *finding {
	identity, err := s.known(ctx, claims)
	if err == nil && identity == nil && s.settings.CreateUsers {
		identity, err = s.created(ctx, claims)
	}
	if err != nil {
		return &finding{kind: unclear, place: place, err: err}
	}
	return standing(identity, claims, place)
}

// standing says what a good token of this person is worth.
func standing(identity *Identity, claims Claims, place Credential) *finding {
	switch {
	case identity == nil:
		return &finding{kind: unlinked, place: place, reason: "identity_unlinked"}
	case identity.Pinned:
		return &finding{kind: barred, place: place, reason: "pinned"}
	case identity.revokes(claims.Issued):
		return &finding{kind: outdated, place: place, reason: "revoked"}
	case identity.disabled():
		return &finding{kind: barred, place: place, reason: "disabled"}
	}
	return &finding{kind: valid, place: place, identity: identity, claims: claims}
}

func (s *Shim) known(ctx context.Context, claims Claims) (*Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	identity, err := s.store.ByAutherID(ctx, claims.Subject)
	return identity, s.outage("identity lookup", err)
}

// created makes a user for somebody new; nil where that is for a person to look at: an address that is taken, say.
func (s *Shim) created(ctx context.Context, claims Claims) (*Identity, error) {
	outcome := EmailClaimMissing
	if claims.Email != "" {
		limited, cancel := context.WithTimeout(ctx, databaseTimeout)
		defer cancel()
		// The database compares spelt as it is; Auther's addresses are in lower case.
		email := strings.ToLower(claims.Email)
		newcomer := Newcomer{AutherID: claims.Subject, Email: email, Name: claims.Name, EmailVerified: claims.EmailVerified}
		var err error
		if outcome, err = s.store.Create(limited, newcomer); err != nil {
			return nil, s.outage("user creation", err)
		}
	}
	s.counters.jit.WithLabelValues(string(outcome)).Inc()
	switch outcome {
	case UserCreated, UserLinked:
		return s.known(ctx, claims)
	case Tombstone:
		return &Identity{AutherID: claims.Subject, State: Deleted}, nil
	}
	return nil, nil
}

// outage makes an error of the database a reason to answer 503, and says so in the log.
func (s *Shim) outage(what string, err error) error {
	if err == nil {
		return nil
	}
	s.warn(what+" failed", err)
	return &unavailable{why: what}
}
