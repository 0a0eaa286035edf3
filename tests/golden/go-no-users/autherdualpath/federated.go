package autherdualpath

import (
	"context"
	"errors"
	"time"
)

// federated is the Store of an application without users of its own: the principal is the sub.
type federated struct{}

var errNoStore = errors.New("a token that is too large for a cookie needs a database")

func (federated) ByAutherID(_ context.Context, id string) (*Identity, error) {
	return &Identity{UserPK: id, AutherID: id, State: Active}, nil
}

func (federated) Create(context.Context, Newcomer) (Created, error)     { return "", errNoStore }
func (federated) SignedIn(context.Context, string) error                { return nil }
func (federated) Keep(context.Context, string, string, time.Time) error { return errNoStore }
func (federated) Load(context.Context, string) (string, error)          { return "", nil }
func (federated) Drop(context.Context, string) error                    { return nil }
func (federated) Beat(context.Context, Beat) error                      { return nil }
