package autherdualpath

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Nothing is handed to the application in headers, so no inbound header has to be stripped: whatever a client calls
// X-User or X-Auther-..., nobody here reads it.

// isNavigation tells whether a browser asks for a page, so that a redirect makes sense.
func isNavigation(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && wantsPage(r)
}

// wantsPage tells the same of a form's POST.
func wantsPage(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(strings.ToLower(r.Header.Get("Accept")), "text/html")
}

// isFromBrowser tells whether a request has the signs of a browser, whatever it asks for.
func isFromBrowser(r *http.Request) bool {
	return r.Header["Sec-Fetch-Mode"] != nil || strings.HasPrefix(r.UserAgent(), "Mozilla/") ||
		strings.Contains(r.Header.Get("Accept"), "text/html")
}

// isSameOrigin tells whether a POST came from our own page, as far as the browser says. Our origin is the configured
// one: the Host header is the client's to choose, and a proxy may end TLS.
func isSameOrigin(r *http.Request, origin string) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	from := r.Header.Get("Origin")
	return from == "" || from == origin
}

// cookieValues gives all values sent under a cookie's name, as they were sent: Request.Cookie gives the first one only,
// and drops values that it does not like without a word.
func cookieValues(r *http.Request, name string) []string {
	var values []string
	for _, line := range r.Header["Cookie"] {
		for _, pair := range strings.Split(line, ";") {
			if key, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && key == name {
				values = append(values, value)
			}
		}
	}
	return values
}

// withoutCookies gives the request without some cookies.
func withoutCookies(r *http.Request, names []string) *http.Request {
	hidden := r.Clone(r.Context())
	hidden.Header.Del("Cookie")
	for _, line := range r.Header["Cookie"] {
		var kept []string
		for _, pair := range strings.Split(line, ";") {
			key, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if !contains(names, key) {
				kept = append(kept, strings.TrimSpace(pair))
			}
		}
		if len(kept) > 0 {
			hidden.Header.Add("Cookie", strings.Join(kept, "; "))
		}
	}
	return hidden
}

// isPlainPath tells whether a path is spelt in the one way that everybody reads alike: no "//", no "..", no encoded
// slash. Routers disagree on the others, so that nothing is exempt by them.
func isPlainPath(u *url.URL) bool {
	clean := path.Clean(u.Path)
	return u.RawPath == "" && (u.Path == clean || u.Path == clean+"/")
}

// isBelow tells whether a path lies below one of the prefixes, by whole segments: /api is not /apiary.
func isBelow(u *url.URL, prefixes []string) bool {
	if !isPlainPath(u) {
		return false
	}
	for _, prefix := range prefixes {
		prefix = strings.TrimSuffix(prefix, "/")
		if u.Path == prefix || strings.HasPrefix(u.Path, prefix+"/") {
			return true
		}
	}
	return false
}

// ownPath gives this page's path and query, to come back to after a login; never what an absolute request target says.
func ownPath(r *http.Request) string {
	text := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		text += "?" + r.URL.RawQuery
	}
	return text
}

// SafeReturnPath gives a path on this origin, fallback for anything that could lead elsewhere: "//host", "/\host" and a
// path with a control character are other origins to some browsers.
func SafeReturnPath(text, fallback string) string {
	if len(text) > maxReturnPath || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") ||
		strings.HasPrefix(text, "/auth/") {
		return fallback
	}
	for i := 0; i < len(text); i++ {
		if text[i] <= ' ' || text[i] >= 0x7f || text[i] == '\\' {
			return fallback
		}
	}
	return text
}
