package autherdualpath

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
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
	last    sync.Map // when a user was seen last, by key
	users   atomic.Int64

	said     Beat
	beatAt   time.Time
	detectAt time.Time
}

func newBackground(s *Shim) *background {
	return &background{shim: s, waiting: make(chan string, maxWaiting)}
}

// seen has a legacy user's time noted, at most once a minute for each. Every legacy request comes here: no lock.
func (b *background) seen(userPK string) {
	now := b.shim.now()
	at, known := b.last.Load(userPK)
	if known && now.Sub(at.(time.Time)) < seenEvery {
		return
	}
	if !known && b.users.Add(1) > maxSeen {
		b.users.Store(0)
		b.last.Range(func(key, _ interface{}) bool { b.last.Delete(key); return true })
	}
	b.last.Store(userPK, now)
	select {
	case b.waiting <- userPK:
	default: // writes fall behind: this one is left out
	}
}

func (b *background) run(ctx context.Context) {
	ticker := time.NewTicker(turn)
	defer ticker.Stop()
	for {
		b.turn(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// turn outlives whatever the application's code does in it.
func (b *background) turn(ctx context.Context) {
	defer func() {
		if found := recover(); found != nil {
			b.shim.warn("background work", fmt.Errorf("panic: %v", found))
		}
	}()
	now := b.shim.now()
	if beat, ok := b.shim.beat(); ok && (beat != b.said || now.Sub(b.beatAt) >= heartbeatEvery) {
		if b.try(ctx, func(ctx context.Context) error { return b.shim.store.Beat(ctx, beat) }) {
			b.said, b.beatAt = beat, now
		}
	}
	if waiting := b.drain(); len(waiting) > 0 {
		b.try(ctx, func(ctx context.Context) error { return b.shim.store.SeenOnLegacy(ctx, waiting) })
	}
	if now.Sub(b.detectAt) >= detectorEvery {
		b.detectAt = now
		b.shim.checkDetector()
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
		b.shim.warn("a background write failed", err)
		return false
	}
	return true
}
