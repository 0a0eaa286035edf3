package autherdualpath

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Settings are what was baked in when this package was generated. Nothing in them is secret.
type Settings struct {
	Issuers            []string // allowed iss; also what makes a bearer a candidate
	Audiences          []string // allowed aud
	Algorithms         []string // allowed JWS algorithms, EdDSA first
	JWKSURL            string
	ClientID           string
	AuthorizeURL       string
	TokenURL           string
	RedirectURI        string
	PluginURL          string // of the migrator plugin at Auther; empty: none
	CheckPermissionURL string
	AfterLogin         string // where a login without a return path ends

	Source              string   // the model of the users, e.g. User
	ForeignPaths        []string // prefixes whose foreign bearers go to the application's own authenticator
	CreateUsers         bool     // make a user for a verified sub that nothing links
	DelegatePermissions bool
	Build               string // what this build calls itself

	Namespace      string // the migration's name: stage documents of another one are refused
	StagePublicKey string // Ed25519, base64url of 32 bytes: stage documents must be signed by it
	BakedStage     Stage  // holds while no stage document was ever seen
	BakedPercent   float64
	ExchangeInDual bool // exchange sessions in dual already, not only in drain
	JSONDoorsUntil time.Time
}

// Times and sizes that the settings do not change.
const (
	leeway          = 30 * time.Second
	maxTokenBytes   = 8192
	maxCookieToken  = 3500 // browsers drop a cookie above 4096 bytes, name and attributes included
	checkTimeout    = time.Second
	logoutTimeout   = 2 * time.Second
	tokenTimeout    = 5 * time.Second
	databaseTimeout = 3 * time.Second
	attemptLifetime = 10 * time.Minute
	renewableFor    = 7 * 24 * time.Hour // as long as Auther's own session lives; after that it would ask for the password
	minCookieSecret = 32
	maxRenewals     = 3
	maxReturnPath   = 1024
	maxAnswerBytes  = 64 << 10
)

// Environment is what the environment adds: secrets, and what differs between instances. Empty means not set.
type Environment struct {
	MetricsToken string
	LogoutSecret string
	ClientSecret string
	CookieSecret string
	JWKSCooldown time.Duration // 1 s to 30 s
	Instance     string        // the name under which this process reports

	StageFile, StageCache string
	ControlSecret         string
	VerifySecret          string
	CaptureSecret         string
	ExchangeSecret        string
	ResetSecret           string
}

// ReadEnvironment reads the process's environment.
func ReadEnvironment() (Environment, error) {
	cooldown := 30 * time.Second
	if text := os.Getenv("MIGRATOR_JWKS_COOLDOWN_S"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= 1 && seconds <= 30) {
			return Environment{}, errors.New("MIGRATOR_JWKS_COOLDOWN_S must lie between 1 and 30")
		}
		cooldown = time.Duration(seconds * float64(time.Second))
	}
	return Environment{
		MetricsToken: os.Getenv("MIGRATOR_METRICS_TOKEN"),
		LogoutSecret: os.Getenv("MIGRATOR_LOGOUT_SECRET"),
		ClientSecret: os.Getenv("AUTHER_CLIENT_SECRET"),
		CookieSecret: os.Getenv("MIGRATOR_COOKIE_SECRET"),
		JWKSCooldown: cooldown,
		Instance:     instanceName(),

		StageFile:      os.Getenv("MIGRATOR_STAGE_FILE"),
		StageCache:     os.Getenv("MIGRATOR_STAGE_CACHE"),
		ControlSecret:  os.Getenv("MIGRATOR_CONTROL_SECRET"),
		VerifySecret:   os.Getenv("MIGRATOR_VERIFY_SECRET"),
		CaptureSecret:  os.Getenv("MIGRATOR_CAPTURE_SECRET"),
		ExchangeSecret: os.Getenv("MIGRATOR_EXCHANGE_SECRET"),
		ResetSecret:    os.Getenv("MIGRATOR_RESET_SECRET"),
	}, nil
}

// validate names what is missing or unsafe; a build with that must not start.
func (s *Settings) validate() error {
	var missing, unsafe []string
	for _, setting := range []struct {
		name, value     string
		isURL, optional bool
	}{
		{"Issuers", strings.Join(s.Issuers, ""), false, false},
		{"Audiences", strings.Join(s.Audiences, ""), false, false},
		{"JWKSURL", s.JWKSURL, true, false},
		{"ClientID", s.ClientID, false, false},
		{"AuthorizeURL", s.AuthorizeURL, true, false},
		{"TokenURL", s.TokenURL, true, false},
		{"RedirectURI", s.RedirectURI, true, false},
		{"PluginURL", s.PluginURL, true, true},
		{"CheckPermissionURL", s.CheckPermissionURL, true, true},
		{"Namespace", s.Namespace, false, false},
		{"StagePublicKey", s.StagePublicKey, false, false},
	} {
		switch {
		case strings.Contains(setting.value, "CHANGE_ME"), setting.value == "" && !setting.optional:
			missing = append(missing, setting.name)
		case setting.isURL && setting.value != "" && !isSafeURL(setting.value):
			unsafe = append(unsafe, setting.name)
		}
	}
	if missing != nil {
		return fmt.Errorf("autherdualpath: baked.go: still to be set: %s", strings.Join(missing, ", "))
	}
	if unsafe != nil {
		return fmt.Errorf("autherdualpath: baked.go: must be https (http only on this machine): %s", strings.Join(unsafe, ", "))
	}
	for _, algorithm := range s.Algorithms {
		if !knownAlgorithms[algorithm] {
			return fmt.Errorf("autherdualpath: baked.go: the algorithm %q is not supported", algorithm)
		}
	}
	if key, err := base64.RawURLEncoding.DecodeString(s.StagePublicKey); err != nil || len(key) != ed25519.PublicKeySize {
		return errors.New("autherdualpath: baked.go: StagePublicKey is not an Ed25519 public key")
	}
	return nil
}

// secureCookies tells whether cookies carry the __Host- prefix. From the settings, not from the request: behind a proxy
// that ends TLS the request looks like http, and then a cookie of another name would decide.
func (s *Settings) secureCookies() bool { return strings.HasPrefix(s.RedirectURI, "https:") }

// origin gives this application's own scheme and host, never taken from a Host header.
func (s *Settings) origin() string {
	u, err := url.Parse(s.RedirectURI)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// callbackPath gives the path of the redirect URI.
func (s *Settings) callbackPath() string {
	u, err := url.Parse(s.RedirectURI)
	if err != nil {
		return ""
	}
	return u.Path
}

func isSafeURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}
