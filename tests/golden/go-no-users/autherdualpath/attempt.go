package autherdualpath

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const maxAttempts = 5

var stateForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// purpose says why an attempt began; it decides where a failure leads.
type purpose string

const (
	forLogin   purpose = ""
	forRenewal purpose = "renew"
)

// attempt is one login at Auther: authorization code with PKCE, bound to this browser by an encrypted cookie of its own,
// so that two tabs do not disturb each other.
type attempt struct {
	State    string  `json:"state"`
	Nonce    string  `json:"nonce"`
	Verifier string  `json:"verifier"`
	ReturnTo string  `json:"return_to"`
	Purpose  purpose `json:"purpose"`
	Sub      string  `json:"sub"` // who it must be; "" for anybody
	Ends     int64   `json:"ends"`
}

func (s *Shim) newAttempt(returnTo string, why purpose, sub string) *attempt {
	return &attempt{
		State: randomText(32), Nonce: randomText(32), Verifier: randomText(48), ReturnTo: SafeReturnPath(returnTo, s.settings.AfterLogin),
		Purpose: why, Sub: sub, Ends: s.now().Add(attemptLifetime).Unix(),
	}
}

func (a *attempt) cookie() string { return attemptCookie + a.State[:12] }

func (a *attempt) challenge() string {
	sum := sha256.Sum256([]byte(a.Verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// remember puts the attempt into this browser; one that somebody fills with attempts loses the old ones.
func (s *Shim) remember(w http.ResponseWriter, r *http.Request, a *attempt) {
	var old []string
	for _, cookie := range r.Cookies() {
		if name := strings.TrimPrefix(cookie.Name, s.cookieName("")); strings.HasPrefix(name, attemptCookie) {
			old = append(old, name)
		}
	}
	if len(old) >= maxAttempts {
		for _, name := range old {
			s.dropCookie(w, name)
		}
	}
	plain, err := json.Marshal(a)
	if err != nil {
		panic(err) // texts and a number cannot fail
	}
	s.setCookie(w, a.cookie(), s.attempts.seal(plain), attemptLifetime)
}

// attemptOf gives the attempt that a state belongs to in this browser, nil for anybody else's.
func (s *Shim) attemptOf(r *http.Request) *attempt {
	states := r.URL.Query()["state"]
	if len(states) != 1 || !stateForm.MatchString(states[0]) {
		return nil
	}
	sealed := cookieValues(r, s.cookieName(attemptCookie+states[0][:12]))
	if len(sealed) != 1 {
		return nil
	}
	plain, err := s.attempts.open(sealed[0])
	if err != nil {
		return nil
	}
	a := new(attempt)
	if json.Unmarshal(plain, a) != nil || !sameText(a.State, states[0]) || s.now().Unix() >= a.Ends {
		return nil
	}
	return a
}

// authorizeQuery is the request that Auther's authorize endpoint gets.
func (s *Shim) authorizeQuery(a *attempt) url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {s.settings.ClientID}, "redirect_uri": {s.settings.RedirectURI},
		"scope": {"openid profile email"}, "state": {a.State}, "nonce": {a.Nonce},
		"code_challenge": {a.challenge()}, "code_challenge_method": {"S256"},
	}
}

// loginError is a login that does not come to its end; the reason is shown and counted.
type loginError struct {
	reason string
	status int
	err    error
}

func (e *loginError) Error() string { return fmt.Sprintf("%s: %v", e.reason, e.err) }

func failed(status int, reason string) *loginError {
	return &loginError{reason: reason, status: status}
}

// redeem gives the id_token for a code, and its verified claims.
func (s *Shim) redeem(ctx context.Context, a *attempt, code string) (string, Claims, *loginError) {
	token, failure := s.exchangeCode(ctx, a, code)
	if failure != nil {
		return "", Claims{}, failure
	}
	claims, err := s.verifier.verify(ctx, s.verifier.open(token))
	var why *refusal
	switch {
	case errors.As(err, &why):
		return "", Claims{}, failed(http.StatusBadRequest, why.reason)
	case err != nil:
		return "", Claims{}, &loginError{reason: "verification_unavailable", status: http.StatusServiceUnavailable, err: err}
	case !sameText(claims.Nonce, a.Nonce):
		return "", Claims{}, failed(http.StatusBadRequest, "nonce")
	case !contains(claims.Audience, s.settings.ClientID):
		return "", Claims{}, failed(http.StatusBadRequest, "audience")
	}
	return token, claims, nil
}

func (s *Shim) exchangeCode(ctx context.Context, a *attempt, code string) (string, *loginError) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.settings.RedirectURI},
		"client_id": {s.settings.ClientID}, "code_verifier": {a.Verifier},
	}
	if s.env.ClientSecret != "" {
		form.Set("client_secret", s.env.ClientSecret)
	}
	unreachable := failed(http.StatusServiceUnavailable, "auther_unreachable")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.settings.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", unreachable
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	answer, err := s.auther.Do(request)
	if err != nil {
		return "", unreachable
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode >= 400 && answer.StatusCode < 500:
		return "", failed(http.StatusBadRequest, "code_refused")
	case answer.StatusCode != http.StatusOK:
		return "", unreachable
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	err = json.NewDecoder(io.LimitReader(answer.Body, maxAnswerBytes)).Decode(&tokens)
	if err != nil || tokens.IDToken == "" {
		return "", failed(http.StatusBadGateway, "no_id_token")
	}
	return tokens.IDToken, nil
}
