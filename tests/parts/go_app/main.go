// Command club is a small application of a team that owns its sign-in and got a shim beside it.
package main

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq"

	"club/autherdualpath"
)

type club struct {
	members *members
	shim    *autherdualpath.Shim
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL")+"?sslmode=disable")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	environment, err := autherdualpath.ReadEnvironment()
	if err != nil {
		return err
	}
	settings := autherdualpath.Baked()
	// Tests build this program once and run it with many settings.
	if other := os.Getenv("CLUB_SETTINGS"); other != "" {
		if err := json.Unmarshal([]byte(other), &settings); err != nil {
			return err
		}
	}
	c := &club{members: newMembers(db, os.Getenv("SECRET_KEY_BASE"), os.Getenv("DEVISE_PEPPER"))}
	c.shim, err = autherdualpath.New(ctx, autherdualpath.Config{
		Settings: settings, Environment: environment, DB: db, Sessions: c.members, Exempt: []string{"/healthz", "/logout"},
	})
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: c.shim.Middleware(c.routes()), ReadHeaderTimeout: 10 * time.Second,
	}
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (c *club) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "broken", http.StatusInternalServerError) })
	mux.HandleFunc("/", c.home)
	mux.HandleFunc("/me", c.whoAmI)
	mux.HandleFunc("/whoami", c.whoAmI)
	mux.HandleFunc("/notes", c.addNote)
	mux.HandleFunc("/login", c.login)
	mux.HandleFunc("/api/login", c.apiLogin)
	mux.HandleFunc("/api/notes", c.apiNotes)
	mux.HandleFunc("/logout", c.logout)
	mux.HandleFunc("/reset", c.reset)
	mux.HandleFunc("/account", c.account)
	return mux
}

func (c *club) home(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	if user, ok := autherdualpath.UserFrom(r.Context()); ok {
		fmt.Fprintf(w, "signed in: %s\n", user.PK)
		return
	}
	fmt.Fprintln(w, "welcome")
}

// whoAmI says who asks, and by which credential.
func (c *club) whoAmI(w http.ResponseWriter, r *http.Request) {
	user, ok := autherdualpath.UserFrom(r.Context())
	if !ok {
		writeJSON(w, http.StatusOK, map[string]interface{}{"user": nil})
		return
	}
	answer := map[string]interface{}{"user": user.PK, "credential": user.Credential, "auther_id": nil}
	if user.AutherID != "" {
		answer["auther_id"] = user.AutherID
	}
	writeJSON(w, http.StatusOK, answer)
}

var notePage = template.Must(template.New("note").Parse(`<!doctype html><title>Note</title>
<form method="post"><input type="hidden" name="csrf" value="{{.}}"><button>Add</button></form>
`))

// addNote changes something, so that it asks for the form's token.
func (c *club) addNote(w http.ResponseWriter, r *http.Request) {
	user, ok := autherdualpath.UserFrom(r.Context())
	switch {
	case r.Method == http.MethodGet:
		_ = notePage.Execute(w, c.members.csrf(w, r))
	case !ok:
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "sign in"})
	case !autherdualpath.MaySkipCSRF(r) && !c.members.rightCSRF(r):
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "csrf"})
	default:
		writeJSON(w, http.StatusCreated, map[string]string{"by": user.PK})
	}
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html><title>Club</title>
{{if .Auther}}<a href="{{.Auther}}">Sign in</a>{{else}}<form method="post" action="/login">
<input type="hidden" name="csrf" value="{{.CSRF}}"><input type="hidden" name="return_to" value="{{.ReturnTo}}">
<input name="email"><input name="password" type="password"><input name="remember" type="checkbox" value="1">
<button>Sign in</button>{{.Problem}}</form>{{end}}
`))

func (c *club) login(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		c.takeForm(w, r)
		return
	}
	c.showForm(w, r, "")
}

func (c *club) showForm(w http.ResponseWriter, r *http.Request, problem string) {
	returnTo := r.FormValue("return_to")
	target := c.shim.LoginURL(w, r, returnTo, r.URL.Query().Get("cohort"))
	if strings.HasPrefix(target, "/login") {
		target = ""
	}
	csrf := c.members.csrf(w, r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if problem != "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	_ = loginPage.Execute(w, map[string]string{"Auther": target, "CSRF": csrf, "ReturnTo": returnTo, "Problem": problem})
}

func (c *club) takeForm(w http.ResponseWriter, r *http.Request) {
	if !c.members.rightCSRF(r) {
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "csrf"})
		return
	}
	switch member, outcome := c.enter(w, r, "form", r.FormValue("email"), r.FormValue("password")); outcome {
	case autherdualpath.Admitted:
		c.members.signIn(w, r, member, r.FormValue("remember") == "1")
		http.Redirect(w, r, autherdualpath.SafeReturnPath(r.FormValue("return_to"), "/"), http.StatusSeeOther)
	case autherdualpath.Denied:
		c.showForm(w, r, "Wrong e-mail or password.")
	case autherdualpath.MustReset:
		http.Redirect(w, r, "/reset", http.StatusSeeOther)
	}
}

// apiLogin is the door of the old mobile application.
func (c *club) apiLogin(w http.ResponseWriter, r *http.Request) {
	var sent struct{ Email, Password string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&sent); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "bad_request"})
		return
	}
	switch member, outcome := c.enter(w, r, "api", sent.Email, sent.Password); outcome {
	case autherdualpath.Admitted:
		c.members.signIn(w, r, member, false)
		writeJSON(w, http.StatusOK, map[string]string{"user": member.pk})
	case autherdualpath.Denied, autherdualpath.MustReset:
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "wrong_password"})
	}
}

func (c *club) enter(w http.ResponseWriter, r *http.Request, door, email, password string) (*member, autherdualpath.Outcome) {
	found, err := c.members.byEmail(r.Context(), email)
	if err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return nil, autherdualpath.Answered
	}
	pk := ""
	if found != nil {
		pk = found.pk
	}
	check := func() bool { return found != nil && c.members.rightPassword(found, password) && found.isActive() }
	return found, c.shim.PasswordDoor(w, r, door, pk, password, check)
}

// apiNotes has an authenticator of its own: personal tokens.
func (c *club) apiNotes(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	personal := subtle.ConstantTimeCompare([]byte(token), []byte("personal-token-of-bob")) == 1
	user, ok := autherdualpath.UserFrom(r.Context())
	switch {
	case personal:
		writeJSON(w, http.StatusOK, map[string]interface{}{"user": "1", "credential": "personal", "session": c.members.Holds(r)})
	case ok:
		writeJSON(w, http.StatusOK, map[string]interface{}{"user": user.PK, "credential": user.Credential})
	default:
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "unknown_token"})
	}
}

func (c *club) logout(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !c.members.rightCSRF(r) {
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "csrf"})
		return
	}
	if err := c.shim.EndSessions(w, r); err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// reset takes a link from a mail: GET /reset?token=…
func (c *club) reset(w http.ResponseWriter, r *http.Request) {
	found, err := c.members.byResetToken(r.Context(), r.FormValue("token"))
	if err != nil || found == nil {
		http.Error(w, "this link is not good", http.StatusNotFound)
		return
	}
	consume := func(ctx context.Context) error { return c.members.consumeReset(ctx, found) }
	if c.shim.ResetLink(w, r, found.pk, "https://auther.example/reset", consume) == autherdualpath.Admitted {
		fmt.Fprintln(w, "choose a new password")
	}
}

func (c *club) account(w http.ResponseWriter, r *http.Request) {
	user, ok := autherdualpath.UserFrom(r.Context())
	if !ok {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "sign in"})
		return
	}
	there, err := c.shim.IsAtAuther(r, user.PK)
	if err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	edit := autherdualpath.Permission{Name: "edit", EntityType: "account", EntityID: user.PK}
	writeJSON(w, http.StatusOK, map[string]bool{"at_auther": there, "may_edit": c.shim.Allowed(r, edit)})
}

func writeJSON(w http.ResponseWriter, status int, value interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
