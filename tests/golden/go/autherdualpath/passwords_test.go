package autherdualpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAPasswordThatAutherLacksIsGivenToItOnce(t *testing.T) {
	for name, c := range map[string]struct {
		secret, password string
		reason, outcome  string // what verify and capture say; without an outcome capture refuses
		result, counted  string // nothing is counted where nothing is given
	}{
		"none there":     {"capture", "right", "no_credential", "captured", "match", "captured"},
		"an unknown one": {"capture", "right", "unknown_scheme", "captured", "match", "captured"},
		"another one":    {"capture", "right", "", "captured", "mismatch", ""},
		"banned":         {"capture", "right", "banned", "captured", "mismatch", ""},
		"set meanwhile":  {"capture", "right", "no_credential", "has_password", "mismatch", "left"},
		"refused":        {"capture", "right", "no_credential", "", "mismatch", "failed"},
		"not UTF-8":      {"capture", "right\xff", "no_credential", "captured", "mismatch", ""},
		"no secret":      {"", "right", "no_credential", "captured", "mismatch", ""},
	} {
		b := newBench(t, StageDual, func(config *Config) { config.Environment.CaptureSecret = c.secret })
		var given []string
		b.auther.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/migrator/verify" {
				_ = json.NewEncoder(w).Encode(object{"valid": false, "reason": c.reason})
				return
			}
			var sent map[string]string
			_ = json.NewDecoder(r.Body).Decode(&sent)
			given = append(given, fmt.Sprint(r.URL.Path, " ", r.Header.Get("Authorization"), " ", sent))
			if c.outcome == "" {
				w.WriteHeader(http.StatusNotFound)
			}
			_ = json.NewEncoder(w).Encode(object{"outcome": c.outcome})
		})
		if got := b.shim.shadowResult("alice", "alice", c.password); got != c.result {
			t.Errorf("%s: %s", name, got)
		}
		var want []string
		counted := make(map[string]int)
		if c.counted != "" {
			want = []string{"/migrator/capture Bearer capture map[id:alice password:right]"}
			counted[c.counted] = 1
		}
		if fmt.Sprint(given) != fmt.Sprint(want) {
			t.Errorf("%s: given %v", name, given)
		}
		if got := results(b, "auth_captures_total"); fmt.Sprint(got) != fmt.Sprint(counted) {
			t.Errorf("%s: counted %v", name, got)
		}
		if strings.Contains(b.logged(), c.password) {
			t.Errorf("%s: the log says %s", name, b.logged())
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestNoPasswordWaitsForAutherLongerThanItMay(t *testing.T) {
	b := newBench(t, StageDual, func(config *Config) { config.Environment.CaptureSecret = "capture" })
	b.shim.auther.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if deadline, limited := r.Context().Deadline(); !limited || time.Until(deadline) > checkTimeout {
			t.Errorf("%s may take until %v", r.URL.Path, deadline)
		}
		return nil, errors.New("no answer")
	})
	if b.shim.capture(get("/").Context(), "alice", "right", "no_credential") {
		t.Error("it was taken")
	}
	if got := b.shim.shadowResult("alice", "alice", "right"); got != "error" {
		t.Error(got)
	}
}

func TestOnlyWhoseHomeIsHereAndMayBeThereIsTriedAtAuther(t *testing.T) {
	for name, c := range map[string]struct {
		stage                         Stage
		moved, pinned, stopped, tried bool
	}{
		"legacy":      {stage: StageLegacy, tried: true},
		"dual":        {stage: StageDual, tried: true},
		"pinned":      {stage: StageDual, pinned: true},
		"rolled back": {stage: StageLegacy, moved: true},
		"compromised": {stage: StageLegacy, stopped: true},
	} {
		b := newBench(t, c.stage)
		b.shim.stage.current.Store(&stageView{stage: c.stage, stopAccepting: c.stopped, origin: "live"})
		b.store.people["alice"].AtAuther, b.store.people["alice"].Pinned = c.moved, c.pinned
		// With all places taken a check is counted instead of begun.
		for i := 0; i < shadowsAtOnce; i++ {
			b.shim.shadows <- struct{}{}
		}
		if outcome, answer := door(b, "alice", true); outcome != Admitted {
			t.Errorf("%s: %v %s", name, outcome, answer)
		}
		if got := results(b, "auth_shadow_checks_total"); (got["skipped"] == 1) != c.tried {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// results gives what a counter has counted, by result.
func results(b *bench, counter string) map[string]int {
	found := make(map[string]int)
	text := b.said(get("/migrator/metrics", "Authorization", "Bearer metrics"))
	for _, line := range strings.Split(text, "\n") {
		var result string
		var count int
		if n, _ := fmt.Sscanf(line, counter+"{result=%q} %d", &result, &count); n == 2 {
			found[result] = count
		}
	}
	return found
}
