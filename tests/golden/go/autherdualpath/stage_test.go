package autherdualpath

import (
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// switchboard publishes stage documents into a folder.
type switchboard struct {
	t        *testing.T
	key      ed25519.PrivateKey
	settings Settings
	file     string
	cache    string
}

func newSwitchboard(t *testing.T) *switchboard {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	settings := Settings{Namespace: "club", StagePublicKey: b64(public), BakedStage: StageDual, BakedPercent: 5}
	return &switchboard{t, private, settings, filepath.Join(folder, "stage.json"), filepath.Join(folder, "cache.json")}
}

// publish signs a document; change replaces fields.
func (s *switchboard) publish(key ed25519.PrivateKey, change object) {
	s.t.Helper()
	document := object{
		"version": 1, "namespace": "club", "epoch": 7, "stage": "drain", "percent": 100.0, "salt": "5a17",
		"stop_accepting": false, "legacy_accept_until": "2099-01-01T00:00:00.000000Z", "ledger_head": "00",
	}
	for name, value := range change {
		document[name] = value
	}
	payload, _ := json.Marshal(document)
	text, _ := json.Marshal(map[string]string{"payload": string(payload), "signature": b64(ed25519.Sign(key, payload))})
	if err := os.WriteFile(s.file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *switchboard) start() *stageReader {
	return newStageReader(s.settings, s.file, s.cache, log.New(io.Discard, "", 0))
}

func (s *switchboard) expect(r *stageReader, stage Stage, origin string) {
	s.t.Helper()
	r.refresh()
	if view, err := r.now(); err != nil || view.stage != stage || view.origin != origin {
		s.t.Errorf("got %+v, %v; want %s, %s", view, err, stage, origin)
	}
}

func TestTheStageFollowsTheDocumentAndSurvivesARestart(t *testing.T) {
	s := newSwitchboard(t)
	r := s.start()
	s.expect(r, StageDual, "baked")
	s.publish(s.key, nil)
	s.expect(r, StageDrain, "live")
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	s.expect(r, StageDrain, "cached")
	s.expect(s.start(), StageDrain, "cached")
	s.publish(s.key, object{"epoch": 8, "stage": "dual"})
	s.expect(r, StageDual, "live")
}

func TestADocumentThatIsNotGoodChangesNothing(t *testing.T) {
	_, stranger, _ := ed25519.GenerateKey(nil)
	for name, spoil := range map[string]func(s *switchboard){
		"another signer":                      func(s *switchboard) { s.publish(stranger, object{"epoch": 8, "stage": "auther"}) },
		"another migration":                   func(s *switchboard) { s.publish(s.key, object{"epoch": 8, "stage": "auther", "namespace": "shop"}) },
		"another version":                     func(s *switchboard) { s.publish(s.key, object{"epoch": 8, "stage": "auther", "version": 2}) },
		"an earlier epoch":                    func(s *switchboard) { s.publish(s.key, object{"epoch": 6, "stage": "auther"}) },
		"the same epoch, another content":     func(s *switchboard) { s.publish(s.key, object{"stage": "auther"}) },
		"no epoch":                            func(s *switchboard) { s.publish(s.key, object{"epoch": nil, "stage": "auther"}) },
		"an unknown stage":                    func(s *switchboard) { s.publish(s.key, object{"epoch": 8, "stage": "next"}) },
		"a deadline that is not a time":       func(s *switchboard) { s.publish(s.key, object{"epoch": 8, "legacy_accept_until": "soon"}) },
		"something that is no document":       func(s *switchboard) { _ = os.WriteFile(s.file, []byte("{"), 0o600) },
		"nothing, where a document should be": func(s *switchboard) { _ = os.WriteFile(s.file, nil, 0o600) },
	} {
		s := newSwitchboard(t)
		s.publish(s.key, nil)
		r := s.start()
		spoil(s)
		r.refresh()
		if view, err := r.now(); err != nil || view.stage != StageDrain || view.origin != "cached" {
			t.Errorf("%s: %+v, %v", name, view, err)
		}
	}
}

func TestWhereTheStageCannotBeKnownNothingIsGuessed(t *testing.T) {
	s := newSwitchboard(t)
	s.settings.BakedStage = StageDrain
	if view, err := s.start().now(); err == nil {
		t.Errorf("a late baked stage was used: %+v", view)
	}
	s = newSwitchboard(t)
	if err := os.WriteFile(s.cache, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if view, err := s.start().now(); err == nil {
		t.Errorf("beside a broken copy: %+v", view)
	}
}

func TestALateProcessDoesNotPutAnOlderCopyOverANewerOne(t *testing.T) {
	s := newSwitchboard(t)
	s.publish(s.key, nil)
	late := s.start()
	view, _ := late.now()
	s.publish(s.key, object{"epoch": 9, "stage": "auther"})
	s.start()
	late.store(view)
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	s.expect(s.start(), StageAuther, "cached")
}

func TestLegacyCredentialsEndByStageAndDeadline(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		stage Stage
		until time.Time
		over  bool
	}{
		{StageLegacy, now.Add(-time.Hour), false}, {StageDual, now.Add(-time.Hour), false}, {StageDrain, time.Time{}, false},
		{StageDrain, now.Add(time.Hour), false}, {StageDrain, now, true}, {StageAuther, now.Add(time.Hour), true},
	} {
		view := &stageView{stage: c.stage, legacyUntil: c.until}
		if view.legacyIsOver(now) != c.over {
			t.Errorf("%s until %s: over is %v", c.stage, c.until, !c.over)
		}
	}
}

// The migration counts browsers with the same numbers.
func TestABrowserStaysInItsBucket(t *testing.T) {
	if got := bucket("5a17", "a-browser"); got != 38587 {
		t.Errorf("got %d", got)
	}
	view := &stageView{stage: StageDual, salt: "5a17", percent: float64(38587) / 1000}
	if view.sendsToAuther("a-browser", "staff") {
		t.Error("the percentage is a bound that is not reached")
	}
	view.cohorts = []string{"staff"}
	if !view.sendsToAuther("a-browser", "staff") || view.sendsToAuther("a-browser", "") {
		t.Error("a cohort moves first, and alone")
	}
	view.percent += 0.001
	if !view.sendsToAuther("a-browser", "") {
		t.Error("not sent to Auther")
	}
}
