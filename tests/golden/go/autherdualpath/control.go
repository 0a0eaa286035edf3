package autherdualpath

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"sync"
	"time"
)

const (
	controlHeader = "X-Migrator-Control"
	controlWindow = time.Minute
	maxNonces     = 10_000
)

var markerForm = regexp.MustCompile(`^(v1\.([0-9]{1,12})\.([0-9a-f]{32}))\.([0-9a-f]{64})$`)

// control recognises the positive control: a signed marker that must show up in the counters as legacy traffic. Without
// it a count of zero proves nothing. A marker authenticates nobody, and is good once in this process, for a minute.
type control struct {
	secret string
	now    func() time.Time

	mu   sync.Mutex
	used map[string]time.Time
}

// accepts tells whether a marker is ours, fresh and unused. A bad one is as if it were not there.
func (c *control) accepts(marker string) bool {
	match := markerForm.FindStringSubmatch(marker)
	if match == nil || c.secret == "" {
		return false
	}
	signed, nonce := match[1], match[3]
	mac := hmac.New(sha256.New, []byte(c.secret))
	mac.Write([]byte(signed))
	given, err := hex.DecodeString(match[4])
	if err != nil || !hmac.Equal(mac.Sum(nil), given) {
		return false
	}
	at, err := strconv.ParseInt(match[2], 10, 64)
	age := c.now().Sub(time.Unix(at, 0))
	return err == nil && age <= controlWindow && age >= -controlWindow && c.first(nonce)
}

func (c *control) first(nonce string) bool {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for old, at := range c.used {
		// A marker from a clock that runs ahead stays valid for up to twice the window.
		if now.Sub(at) > 2*controlWindow {
			delete(c.used, old)
		}
	}
	if _, twice := c.used[nonce]; twice || len(c.used) >= maxNonces {
		return false
	}
	c.used[nonce] = now
	return true
}
