package autherdualpath

import (
	"context"
	"sync"
	"time"
)

const (
	maxSeen    = 50_000
	maxWaiting = 1000
	turn       = time.Second
)

// background does what no request waits for, best effort: heartbeat, last-seen, the detection control. A failure is
// logged and forgotten. It ends with the context that New was given.
type background struct {
	shim    *Shim
	waiting chan string

	mu   sync.Mutex
	last map[string]time.Time
}

func newBackground(s *Shim) *background {
	return &background{shim: s, waiting: make(chan string, maxWaiting), last: make(map[string]time.Time)}
}

// seen has a legacy user's time noted, at most once a minute for each.
func (b *background) seen(userPK string) {
	now := b.shim.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, ok := b.last[userPK]; ok && now.Sub(at) < seenEvery {
		return
	}
	if len(b.last) >= maxSeen {
		b.last = make(map[string]time.Time)
	}
	b.last[userPK] = now
	select {
	case b.waiting <- userPK:
	default: // writes fall behind: this one is left out
	}
}

func (b *background) run(ctx context.Context) {
	ticker := time.NewTicker(turn)
	defer ticker.Stop()
	var beatAt, detectAt time.Time
	var said Beat
	for {
		now := b.shim.now()
		if beat, ok := b.shim.beat(); ok && (beat != said || now.Sub(beatAt) >= heartbeatEvery) {
			if b.try(ctx, func(ctx context.Context) error { return b.shim.store.Beat(ctx, beat) }) {
				said, beatAt = beat, now
			}
		}
		if now.Sub(detectAt) >= detectorEvery {
			b.shim.checkDetector()
			detectAt = now
		}
		if waiting := b.drain(); len(waiting) > 0 {
			b.try(ctx, func(ctx context.Context) error { return b.shim.store.SeenOnLegacy(ctx, waiting) })
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (b *background) drain() []string {
	var users []string
	for {
		select {
		case user := <-b.waiting:
			users = append(users, user)
		default:
			return users
		}
	}
}

func (b *background) try(ctx context.Context, write func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	if err := write(ctx); err != nil {
		b.shim.log.Printf("autherdualpath: a background write failed: %v", err)
		return false
	}
	return true
}
