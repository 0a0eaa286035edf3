// Command club is the same application after the migration: Auther alone signs people in.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "github.com/lib/pq"

	"club/autherdualpath"
)

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
	environment, err := autherdualpath.ReadEnvironment()
	if err != nil {
		return err
	}
	settings := autherdualpath.Baked()
	// Tests build this program once and run it with many settings.
	if err := json.Unmarshal([]byte(os.Getenv("CLUB_SETTINGS")), &settings); err != nil {
		return err
	}
	shim, err := autherdualpath.New(ctx, autherdualpath.Config{
		Settings: settings, Environment: environment, DB: db, Exempt: []string{"/healthz"},
	})
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: shim.Middleware(routes()), ReadHeaderTimeout: 10 * time.Second,
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

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "broken", http.StatusInternalServerError) })
	mux.HandleFunc("/whoami", whoAmI)
	return mux
}

func whoAmI(w http.ResponseWriter, r *http.Request) {
	answer := map[string]interface{}{"user": nil}
	if user, ok := autherdualpath.UserFrom(r.Context()); ok {
		answer = map[string]interface{}{"user": user.PK, "credential": user.Credential, "auther_id": user.AutherID}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}
