package autherdualpath

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// ask posts JSON to the migrator plugin at Auther and reads its answer; one secret per capability.
func (s *Shim) ask(ctx context.Context, limit time.Duration, secret, path string, body, into interface{}) error {
	if secret == "" || s.settings.PluginURL == "" {
		return errors.New("not set up")
	}
	header := http.Header{"Authorization": {"Bearer " + secret}}
	return s.post(ctx, limit, s.settings.PluginURL+path, header, body, into)
}

func (s *Shim) post(ctx context.Context, limit time.Duration, url string, header http.Header, body, into interface{}) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	answer, err := s.auther.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d", answer.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(answer.Body, maxAnswerBytes)).Decode(into)
}

// endAutherSession ends the person's sessions at Auther, best effort.
func (s *Shim) endAutherSession(ctx context.Context, autherID string) string {
	if autherID == "" || s.env.LogoutSecret == "" || s.settings.PluginURL == "" {
		return "off"
	}
	var said struct{}
	body := map[string]string{"id": autherID}
	if err := s.ask(ctx, logoutTimeout, s.env.LogoutSecret, "/logout", body, &said); err != nil {
		s.warn("the session at Auther was not ended", err)
		return "failed"
	}
	return "ended"
}
