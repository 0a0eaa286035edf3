package autherdualpath

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

func (m *memory) ByUser(ctx context.Context, pk string) (*Identity, error) {
	return m.ByAutherID(ctx, pk)
}
func (m *memory) Unwritten(context.Context, string) (bool, error) { return false, nil }

func (m *memory) Move(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moved = append(m.moved, id)
	return nil
}

func (m *memory) SeenOnLegacy(context.Context, []string) error       { return nil }
func (m *memory) Shadow(context.Context, string, bool, string) error { return nil }

// testSessions keeps a user's key in a cookie as it is.
type testSessions struct{}

func (testSessions) Holds(r *http.Request) bool { _, err := r.Cookie("session"); return err == nil }
func (testSessions) Cookies() []string          { return []string{"session", "remember"} }

func (testSessions) Forget(w http.ResponseWriter, _ *http.Request, _ bool) error {
	http.SetCookie(w, &http.Cookie{Name: "session", MaxAge: -1})
	return nil
}

func (testSessions) Fixture() (*http.Request, error) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: "nobody"})
	return r, nil
}

func (testSessions) Read(r *http.Request) (*LegacySession, error) { return named(r, "session"), nil }
func (testSessions) Remembered(r *http.Request) (*LegacySession, error) {
	return named(r, "remember"), nil
}

func (testSessions) Resume(w http.ResponseWriter, _ *http.Request, s *LegacySession) error {
	http.SetCookie(w, &http.Cookie{Name: "session", Value: s.UserPK})
	return nil
}

func named(r *http.Request, cookie string) *LegacySession {
	found, err := r.Cookie(cookie)
	if err != nil {
		return nil
	}
	return &LegacySession{UserPK: found.Value}
}

func newBench(t testing.TB, stage Stage, change ...func(*Config)) *bench {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	b, config := testConfig(t)
	config.Sessions = testSessions{}
	settings, environment := &config.Settings, &config.Environment
	settings.Namespace, settings.StagePublicKey, settings.BakedStage = "test", b64(make([]byte, 32)), StageLegacy
	environment.ControlSecret, environment.VerifySecret, environment.ExchangeSecret = "control", "v", "x"
	environment.ResetSecret, environment.Instance = "r", "test"
	for _, c := range change {
		c(&config)
	}
	shim, err := New(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	shim.stage.current.Store(&stageView{stage: stage, salt: "s", epoch: 1, origin: "live"})
	b.shim = shim
	return b
}

// anyBench is one for what is alike in every stage.
func anyBench(t testing.TB, change ...func(*Config)) *bench { return newBench(t, StageDual, change...) }
