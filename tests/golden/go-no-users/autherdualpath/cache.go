package autherdualpath

import (
	"crypto/sha256"
	"sync"
	"time"
)

const maxCachedTokens = 10_000

// tokenSum stands for a token where the token itself must not lie around.
type tokenSum [sha256.Size]byte

func sumOf(token string) tokenSum { return sha256.Sum256([]byte(token)) }

// claimsCache remembers the claims of verified tokens, by the token's hash and never past exp. It is dropped as a whole
// when the key set changes. Who the person is, and whether signed out meanwhile, is looked up every time all the same.
type claimsCache struct {
	mu         sync.RWMutex
	generation uint64
	claims     map[tokenSum]Claims
}

func newClaimsCache() *claimsCache {
	return &claimsCache{claims: make(map[tokenSum]Claims)}
}

func (c *claimsCache) get(key tokenSum, generation uint64, now time.Time) (Claims, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	claims, ok := c.claims[key]
	return claims, ok && c.generation == generation && now.Before(claims.Expires)
}

func (c *claimsCache) put(key tokenSum, generation uint64, claims Claims) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation < c.generation {
		return
	}
	if generation > c.generation {
		c.generation = generation
		c.claims = make(map[tokenSum]Claims)
	}
	if len(c.claims) >= maxCachedTokens {
		// Any one: a map begins its iteration at random.
		for old := range c.claims {
			delete(c.claims, old)
			break
		}
	}
	c.claims[key] = claims
}
