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
	// Beat says that this instance lives and which stage it sees.
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
