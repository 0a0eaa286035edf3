package autherdualpath

import (
	"html/template"
	"net/http"
)

var conflictPage = template.Must(template.New("conflict").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Two sign-ins</title></head>
<body><h1>Two people are signed in in this browser</h1>
<p>To protect both, neither sign-in is used. Sign out of both, then sign in again.</p>
<form method="post"><input type="hidden" name="csrf" value="{{.}}">
<button>Sign out of both</button></form></body></html>
`))

// showConflict names nobody; its form's token is also in a cookie.
func (s *Shim) showConflict(w http.ResponseWriter, r *http.Request, p *passage) {
	token := randomText(32)
	cookie := s.cookie(conflictCookie, token, 0)
	cookie.SameSite = http.SameSiteStrictMode // a POST that another site starts arrives without it
	http.SetCookie(w, cookie)
	writePage(w, http.StatusOK, conflictPage, token)
}

func (s *Shim) clearConflict(w http.ResponseWriter, r *http.Request, p *passage) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	sent, kept := r.PostFormValue("csrf"), cookieValues(r, s.cookieName(conflictCookie))
	if sent == "" || len(kept) != 1 || !sameText(sent, kept[0]) || !isSameOrigin(r, s.settings.origin()) {
		writeError(w, http.StatusForbidden, "csrf")
		return
	}
	if err := s.detector.Forget(w, r, true); err != nil {
		unverifiable(w, s.outage("ending the legacy session", err))
		return
	}
	s.dropTokenCookie(w, r)
	s.dropCookie(w, conflictCookie)
	redirect(w, s.LoginURL(w, r, "", ""))
}
