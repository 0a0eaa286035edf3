package autherdualpath

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

const (
	buckets       = 100_000
	maxStageBytes = 64 << 10
)

// stageView is the stage as this process sees it now.
type stageView struct {
	stage         Stage
	percent       float64
	salt          string
	epoch         int64
	stopAccepting bool
	legacyUntil   time.Time // zero: no deadline
	cohorts       []string  // of the application's own making; they sign in at Auther in dual
	origin        string    // live, cached or baked
	text          string
}

// legacyIsOver tells whether legacy credentials no longer sign anybody in.
func (v *stageView) legacyIsOver(now time.Time) bool {
	ended := !v.legacyUntil.IsZero() && !now.Before(v.legacyUntil)
	return v.stage == StageAuther || v.stage == StageDrain && ended
}

// acceptsAuther tells whether Auther's tokens are good; they are not after a compromise.
func (v *stageView) acceptsAuther() bool { return !(v.stage == StageLegacy && v.stopAccepting) }

// sendsToAuther tells on which side a browser signs in: sticky, and monotonic in percent.
func (v *stageView) sendsToAuther(key, cohort string) bool {
	if v.stage != StageDual {
		return v.stage == StageDrain || v.stage == StageAuther
	}
	if contains(v.cohorts, cohort) {
		return true
	}
	// An integer on both sides: 0.07 * 1000 is 70.00000000000001.
	return bucket(v.salt, key) < uint64(math.Round(v.percent*1000))
}

// bucket gives a browser's bucket, 0 to 99,999.
func bucket(salt, key string) uint64 {
	sum := sha256.Sum256([]byte(salt + key))
	return binary.BigEndian.Uint64(sum[:8]) % buckets
}

// stageReader keeps the stage: of the signed document in a file, of its last good copy, else what was baked in.
// One goroutine writes; requests read without a lock.
type stageReader struct {
	settings Settings
	file     string
	cache    string
	log      *log.Logger
	refused  string                    // the last document that was refused
	current  atomic.Pointer[stageView] // nil: unknown
}

func newStageReader(settings Settings, file, cache string, logger *log.Logger) *stageReader {
	r := &stageReader{settings: settings, file: file, cache: cache, log: logger}
	r.start()
	r.refresh()
	return r
}

// run reads the document again until ctx ends.
func (r *stageReader) run(ctx context.Context) {
	ticker := time.NewTicker(stageEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.refresh()
		}
	}
}

// now gives the stage. It is unavailable when there was a document once and none can be read, or when the baked stage
// is so late that guessing could let a removed credential in.
func (r *stageReader) now() (*stageView, error) {
	if view := r.current.Load(); view != nil {
		return view, nil
	}
	return nil, &unavailable{why: "stage unknown", retry: stageEvery}
}

// start takes the last good copy, or what is baked.
func (r *stageReader) start() {
	if text, ok := readStageFile(r.cache); ok {
		view, err := r.open(text, "cached")
		if err != nil {
			warn(r.log, "the copy of the stage document", err)
			return
		}
		r.current.Store(view)
		return
	}
	if r.settings.BakedStage == StageLegacy || r.settings.BakedStage == StageDual {
		r.current.Store(&stageView{stage: r.settings.BakedStage, percent: r.settings.BakedPercent, origin: "baked"})
	}
}

func (r *stageReader) refresh() {
	good := r.current.Load()
	text, ok := readStageFile(r.file)
	if ok && good != nil && good.origin == "live" && good.text == text {
		return
	}
	if view, err := r.live(text, ok, good); err == nil {
		if good == nil || view.text != good.text {
			r.store(view)
		}
		r.current.Store(view)
		return
	} else if ok && text != r.refused {
		r.refused = text // said once, not with each look
		warn(r.log, "stage document refused", err)
	}
	if good != nil && good.origin == "live" {
		kept := *good
		kept.origin = "cached"
		r.current.Store(&kept)
	}
}

func (r *stageReader) live(text string, ok bool, good *stageView) (*stageView, error) {
	if !ok {
		return nil, errors.New("no document")
	}
	view, err := r.open(text, "live")
	if err != nil {
		return nil, err
	}
	if good != nil && view.epoch < good.epoch {
		return nil, fmt.Errorf("epoch %d after %d", view.epoch, good.epoch)
	}
	if good != nil && good.text != "" && view.epoch == good.epoch && view.text != good.text {
		return nil, fmt.Errorf("epoch %d with another content", view.epoch)
	}
	return view, nil
}

// store keeps a copy for the next start, best effort: a full disk must not keep this process from following the switch.
// Renamed into place, so that a reader sees the old copy or the new one, never half of it.
func (r *stageReader) store(view *stageView) {
	if r.cache == "" {
		return
	}
	if text, ok := readStageFile(r.cache); ok {
		// A process that lags behind must not put an older document over a newer one.
		if there, err := r.open(text, "cached"); err == nil && there.epoch > view.epoch {
			return
		}
	}
	if err := replaceFile(r.cache, view.text); err != nil {
		warn(r.log, "no copy of the stage document", err)
	}
}

func replaceFile(path, text string) error {
	aside, err := os.CreateTemp(filepath.Dir(path), ".stage-")
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name())
	_, err = aside.WriteString(text)
	if closed := aside.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(aside.Name(), path)
}

// open checks a document's signature and reads it.
func (r *stageReader) open(text, origin string) (*stageView, error) {
	var outer struct{ Payload, Signature string }
	if err := json.Unmarshal([]byte(text), &outer); err != nil {
		return nil, errors.New("not a stage document")
	}
	key, _ := base64.RawURLEncoding.DecodeString(r.settings.StagePublicKey)
	signature, err := base64.RawURLEncoding.DecodeString(outer.Signature)
	if err != nil || !ed25519.Verify(key, []byte(outer.Payload), signature) {
		return nil, errors.New("not signed by this migration's key")
	}
	view, err := readPayload(outer.Payload, r.settings.Namespace)
	if err != nil {
		return nil, err
	}
	view.origin, view.text = origin, text
	return view, nil
}

func readPayload(payload, namespace string) (*stageView, error) {
	var data struct {
		Version   int      `json:"version"`
		Namespace string   `json:"namespace"`
		Stage     Stage    `json:"stage"`
		Percent   float64  `json:"percent"`
		Salt      string   `json:"salt"`
		Epoch     *int64   `json:"epoch"`
		Stop      bool     `json:"stop_accepting"`
		Until     *string  `json:"legacy_accept_until"`
		Cohorts   []string `json:"cohorts"`
	}
	if err := json.Unmarshal([]byte(payload), &data); err != nil || data.Epoch == nil {
		return nil, errors.New("not a stage document")
	}
	if data.Version != 1 || data.Namespace != namespace {
		return nil, errors.New("another version or another migration")
	}
	switch data.Stage {
	case StageLegacy, StageDual, StageDrain, StageAuther:
	default:
		return nil, errors.New("an unknown stage")
	}
	view := &stageView{
		stage: data.Stage, percent: data.Percent, salt: data.Salt, epoch: *data.Epoch, stopAccepting: data.Stop, cohorts: data.Cohorts,
	}
	if data.Until != nil {
		until, err := time.Parse(time.RFC3339, *data.Until)
		if err != nil {
			return nil, errors.New("a deadline that is not a time")
		}
		view.legacyUntil = until
	}
	return view, nil
}

func readStageFile(path string) (string, bool) {
	if path == "" {
		return "", false
	}
	file, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxStageBytes))
	return string(text), err == nil
}

// mustTime reads a baked time; "" is no time.
func mustTime(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic("autherdualpath: baked.go: " + err.Error())
	}
	return at
}
