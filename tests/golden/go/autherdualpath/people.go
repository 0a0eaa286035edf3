package autherdualpath

import (
	"context"
	"sync"
	"time"
)

// peopleCache spares a legacy request the database: who a legacy user is at Auther is asked every few seconds only.
type peopleCache struct {
	mu    sync.RWMutex
	known map[string]knownPerson
}

type knownPerson struct {
	identity *Identity
	at       time.Time
}

func (c *peopleCache) get(userPK string) (knownPerson, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	person, ok := c.known[userPK]
	return person, ok
}

func (c *peopleCache) put(userPK string, person knownPerson) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxSeen {
		c.known = make(map[string]knownPerson)
	}
	c.known[userPK] = person
}

func (c *peopleCache) forget(userPK string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, userPK)
}

// linked gives the identity of a legacy user, nil when nothing links it, and also during an outage: the legacy side must
// not depend on the tables that the migration added. What was known before still holds then.
func (s *Shim) linked(userPK string) *Identity {
	person, ok := s.people.get(userPK)
	if ok && s.now().Sub(person.at) < identityFreshness {
		return person.identity
	}
	// Not the request's context: a client that goes away must not decide what is remembered here.
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	identity, err := s.store.ByUser(ctx, userPK)
	if err != nil {
		s.warn("identity lookup failed", err)
		identity = person.identity
	}
	s.people.put(userPK, knownPerson{identity: identity, at: s.now()})
	return identity
}
