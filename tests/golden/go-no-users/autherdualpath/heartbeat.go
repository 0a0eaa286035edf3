package autherdualpath

import (
	"context"
	"fmt"
	"os"
	"time"
)

const heartbeatEvery = 10 * time.Second

// Beat is what an instance reports about itself.
type Beat struct {
	Instance, Build string
	Baked, Stage    string
	Epoch           int64
	Source          string // live, cached or baked
	LegacyCapable   bool
}

// Instances takes what instances report about themselves.
type Instances interface {
	// Beat says that this instance lives, and that it has no legacy side.
	Beat(ctx context.Context, beat Beat) error
}

// instanceName gives the name under which this process reports.
func instanceName() string {
	if name := os.Getenv("MIGRATOR_INSTANCE"); name != "" {
		return name
	}
	host, _ := os.Hostname()
	return fmt.Sprintf("%s#%d", host, os.Getpid())
}

// beat gives what this instance reports: no stage moves it any more.
func (s *Shim) beat() Beat {
	return Beat{Instance: s.env.Instance, Build: s.settings.Build, Baked: "auther", Stage: "auther", Source: "baked"}
}

// keepBeating reports until ctx ends, best effort: where nobody looks at the table any more, it may be gone.
func (s *Shim) keepBeating(ctx context.Context) {
	ticker := time.NewTicker(heartbeatEvery)
	defer ticker.Stop()
	for {
		s.beatOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Shim) beatOnce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	if err := s.store.Beat(ctx, s.beat()); err != nil {
		s.warn("the heartbeat failed", err)
	}
}
