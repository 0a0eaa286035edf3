package autherdualpath

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// handOn lets the application answer, and counts where it fails. A panic before the answer has begun is a failure, but for
// the one that only ends the connection; all go on to whoever recovers them.
func (s *Shim) handOn(next http.Handler, w http.ResponseWriter, r *http.Request, d *decision) {
	answer := &recorder{ResponseWriter: w}
	defer func() {
		found := recover()
		if found != nil && found != http.ErrAbortHandler {
			answer.begin(http.StatusInternalServerError)
		}
		s.counters.answered(d, answer.status)
		if found != nil {
			panic(found)
		}
	}()
	next.ServeHTTP(answer.likeItsWriter(), r)
}

// recorder hands the application's answer on to another writer, and keeps its status.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the answer begins
}

func (r *recorder) begin(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// WriteHeader: below 200 are hints ahead of an answer, but for 101.
func (r *recorder) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		r.begin(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(data []byte) (int, error) {
	r.begin(http.StatusOK)
	return r.ResponseWriter.Write(data)
}

// WriteString is what io.WriteString looks for; it does the same where the writer has none.
func (r *recorder) WriteString(text string) (int, error) {
	r.begin(http.StatusOK)
	return io.WriteString(r.ResponseWriter, text)
}

// ReadFrom is what io.Copy looks for, to send files without a copy in memory; it does the same where the writer has none.
func (r *recorder) ReadFrom(source io.Reader) (int64, error) {
	n, err := io.Copy(r.ResponseWriter, source)
	if n > 0 {
		r.begin(http.StatusOK)
	}
	return n, err
}

// Unwrap is for http.ResponseController (Go 1.20 and later).
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// What else a writer can do, applications ask by type assertions, and do without it where it cannot: HTTP/2 hands no
// connection over, HTTP/1 pushes nothing. So there is a type for each set of Flusher, Hijacker, Pusher and CloseNotifier.
type (
	canF    struct{ *recorder }
	canH    struct{ *recorder }
	canP    struct{ *recorder }
	canC    struct{ *recorder }
	canFH   struct{ canF }
	canFP   struct{ canF }
	canFC   struct{ canF }
	canHP   struct{ canH }
	canHC   struct{ canH }
	canPC   struct{ canP }
	canFHP  struct{ canFH }
	canFHC  struct{ canFH }
	canFPC  struct{ canFP }
	canHPC  struct{ canHP }
	canFHPC struct{ canFHP }
)

func (c canF) Flush() { _ = c.FlushError() }

// FlushError is what http.ResponseController asks for first.
func (c canF) FlushError() error {
	c.begin(http.StatusOK)
	if flusher, ok := c.ResponseWriter.(interface{ FlushError() error }); ok {
		return flusher.FlushError()
	}
	c.ResponseWriter.(http.Flusher).Flush()
	return nil
}

func (c canH) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return c.hijack() }
func (c canFH) Hijack() (net.Conn, *bufio.ReadWriter, error) { return c.hijack() }

func (c canP) Push(target string, options *http.PushOptions) error   { return c.push(target, options) }
func (c canFP) Push(target string, options *http.PushOptions) error  { return c.push(target, options) }
func (c canHP) Push(target string, options *http.PushOptions) error  { return c.push(target, options) }
func (c canFHP) Push(target string, options *http.PushOptions) error { return c.push(target, options) }

func (c canC) CloseNotify() <-chan bool    { return c.closeNotify() }
func (c canFC) CloseNotify() <-chan bool   { return c.closeNotify() }
func (c canHC) CloseNotify() <-chan bool   { return c.closeNotify() }
func (c canPC) CloseNotify() <-chan bool   { return c.closeNotify() }
func (c canFHC) CloseNotify() <-chan bool  { return c.closeNotify() }
func (c canFPC) CloseNotify() <-chan bool  { return c.closeNotify() }
func (c canHPC) CloseNotify() <-chan bool  { return c.closeNotify() }
func (c canFHPC) CloseNotify() <-chan bool { return c.closeNotify() }

// hijack: what is said on the connection from then on is no answer that has a status.
func (r *recorder) hijack() (net.Conn, *bufio.ReadWriter, error) {
	connection, buffer, err := r.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		r.begin(http.StatusSwitchingProtocols)
	}
	return connection, buffer, err
}

func (r *recorder) push(target string, options *http.PushOptions) error {
	return r.ResponseWriter.(http.Pusher).Push(target, options)
}

func (r *recorder) closeNotify() <-chan bool {
	return r.ResponseWriter.(http.CloseNotifier).CloseNotify()
}

// likeItsWriter gives the recorder with what its writer can do, and no more.
func (r *recorder) likeItsWriter() http.ResponseWriter {
	set := 0
	if _, ok := r.ResponseWriter.(http.Flusher); ok {
		set |= 1
	}
	if _, ok := r.ResponseWriter.(http.Hijacker); ok {
		set |= 2
	}
	if _, ok := r.ResponseWriter.(http.Pusher); ok {
		set |= 4
	}
	if _, ok := r.ResponseWriter.(http.CloseNotifier); ok {
		set |= 8
	}
	return r.with(set)
}

func (r *recorder) with(set int) http.ResponseWriter {
	f, h, p := canF{r}, canH{r}, canP{r}
	fh, fp, hp := canFH{f}, canFP{f}, canHP{h}
	fhp := canFHP{fh}
	return [16]http.ResponseWriter{
		r, f, h, fh, p, fp, hp, fhp,
		canC{r}, canFC{f}, canHC{h}, canFHC{fh}, canPC{p}, canFPC{fp}, canHPC{hp}, canFHPC{fhp},
	}[set]
}
