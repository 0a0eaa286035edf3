package autherdualpath

import (
	"context"
	"encoding/json"
	"net/http"
)

// Verdict is what a token says about a permission. Unknown is not Denied: a token without the claim says nothing.
type Verdict string

// The three answers.
const (
	PermissionAllowed Verdict = "allowed"
	PermissionDenied  Verdict = "denied"
	PermissionUnknown Verdict = "unknown"
)

// Permission is what somebody wants to do with something; EntityID is "" for the whole type.
type Permission struct{ Name, EntityType, EntityID string }

func (p Permission) keys() []string {
	if p.EntityID == "" {
		return []string{p.EntityType}
	}
	return []string{p.EntityType, p.EntityType + ":" + p.EntityID}
}

// Permission gives what the token's claim says, by the keys "type" (for all of a type) and "type:id".
func (c Claims) Permission(p Permission) Verdict {
	var claim struct {
		Permissions map[string][]string `json:"permissions"`
		ABAC        json.RawMessage     `json:"abac_required"`
	}
	if len(c.payload) == 0 || c.Unmarshal(&claim) != nil || claim.Permissions == nil {
		return PermissionUnknown
	}
	if needsABAC(claim.ABAC, p) {
		return PermissionUnknown
	}
	for _, key := range p.keys() {
		if contains(claim.Permissions[key], p.Name) {
			return PermissionAllowed
		}
	}
	return PermissionDenied
}

// needsABAC tells whether attributes decide, which only Auther can weigh. What it does not understand counts as yes.
func needsABAC(raw json.RawMessage, p Permission) bool {
	if len(raw) == 0 {
		return false
	}
	var all *bool
	if json.Unmarshal(raw, &all) == nil {
		return all != nil && *all
	}
	var named map[string][]string
	if json.Unmarshal(raw, &named) != nil {
		return true
	}
	for _, key := range p.keys() {
		if contains(named[key], p.Name) {
			return true
		}
	}
	return false
}

// Allowed tells whether this request's user may, or the program whose X-Api-Key came with it. Of a person the token tells,
// and nothing else: Auther's own endpoint answers for the key that asks, whoever is asked about. Every doubt is a no.
func (s *Shim) Allowed(r *http.Request, p Permission) bool {
	if !s.settings.DelegatePermissions {
		return false
	}
	if user, ok := UserFrom(r.Context()); ok {
		return user.Claims.Permission(p) == PermissionAllowed
	}
	keys := r.Header["X-Api-Key"]
	return len(keys) == 1 && keys[0] != "" && s.allowedToProgram(r.Context(), keys[0], p)
}

func (s *Shim) allowedToProgram(ctx context.Context, key string, p Permission) bool {
	if s.settings.CheckPermissionURL == "" {
		return false
	}
	body := map[string]string{"entityType": p.EntityType, "entityId": p.EntityID, "permission": p.Name}
	if p.EntityID == "" {
		body["entityId"] = "*"
	}
	var said struct {
		Allowed bool `json:"allowed"`
	}
	err := s.post(ctx, checkTimeout, s.settings.CheckPermissionURL, http.Header{"X-Api-Key": {key}}, body, &said)
	if err != nil {
		s.warn("a permission was not checked", err)
		return false
	}
	return said.Allowed
}
