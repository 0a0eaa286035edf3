package autherdualpath

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswersOfTheApplicationThatFailAreCounted(t *testing.T) {
	const failed, good = 1, 0
	for name, c := range map[string]struct {
		want    int
		handler http.HandlerFunc
	}{
		"a status":        {failed, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }},
		"not found":       {good, http.NotFound},
		"nothing":         {good, func(http.ResponseWriter, *http.Request) {}},
		"an early hint":   {failed, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(503) }},
		"too late":        {good, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x"); w.WriteHeader(500) }},
		"too late a text": {good, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x"); w.WriteHeader(500) }},
		"flushed":         {good, func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); w.WriteHeader(500) }},
		"copied":          {good, func(w http.ResponseWriter, _ *http.Request) { copyTo(w, "x"); w.WriteHeader(500) }},
		"an empty copy":   {failed, func(w http.ResponseWriter, _ *http.Request) { copyTo(w, ""); w.WriteHeader(500) }},
		"a panic":         {failed, func(http.ResponseWriter, *http.Request) { panic("a mistake") }},
		"a late panic":    {good, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x"); panic("a mistake") }},
		"ended on purpose": {good, func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}},
	} {
		b := anyBench(t)
		panicked := serveQuietly(b.shim.Middleware(c.handler), get("/"))
		if strings.Contains(name, "panic") != (panicked == "a mistake") {
			t.Errorf("%s: the panic is %v", name, panicked)
		}
		if got := b.errorsOf("none"); got != c.want {
			t.Errorf("%s: counted %d", name, got)
		}
	}
}

func TestAFailureIsCountedOnThePathOfItsRequest(t *testing.T) {
	b := anyBench(t)
	broken := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", http.StatusInternalServerError) }
	for _, r := range []*http.Request{
		bearer(b.auther.token("alice", nil)),
		get("/api/notes", "Authorization", "Bearer personal-token"),
		get("/health"), // nothing is decided there
		bearer("refused"),
	} {
		serveQuietly(b.shim.Middleware(http.HandlerFunc(broken)), r)
	}
	for path, want := range map[string]int{"legacy": 0, "auther": 1, "both": 0, "foreign": 1, "none": 0} {
		if got := b.errorsOf(path); got != want {
			t.Errorf("%s: counted %d", path, got)
		}
	}
}

// everything is a writer that can do all that a writer may.
type everything struct {
	*httptest.ResponseRecorder
	done []string
}

func (e *everything) Flush() { e.done = append(e.done, "flushed") }

func (e *everything) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	e.done = append(e.done, "hijacked")
	return nil, nil, nil
}

func (e *everything) Push(target string, _ *http.PushOptions) error {
	e.done = append(e.done, "pushed "+target)
	return nil
}

func (e *everything) CloseNotify() <-chan bool {
	e.done = append(e.done, "notified")
	return nil
}

func TestAWriterCanDoWhatItCouldDoBefore(t *testing.T) {
	uses := [4]string{"flushed", "hijacked", "pushed /style.css", "notified"}
	for set := 0; set < 1<<len(uses); set++ {
		var want []string
		for bit, use := range uses {
			if set&(1<<bit) != 0 {
				want = append(want, use)
			}
		}
		bottom := &everything{ResponseRecorder: httptest.NewRecorder()}
		limited := (&recorder{ResponseWriter: bottom}).with(set)
		got := does((&recorder{ResponseWriter: limited}).likeItsWriter())
		if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(bottom.done) != fmt.Sprint(want) {
			t.Errorf("of %q came %q, which did %q", want, got, bottom.done)
		}
	}
}

func TestServersWritersCanDoTheSameBehindTheShim(t *testing.T) {
	application := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, flushes := w.(http.Flusher)
		_, hijacks := w.(http.Hijacker)
		_, pushes := w.(http.Pusher)
		fmt.Fprint(w, flushes, hijacks, pushes)
	})
	for protocol, want := range map[string]string{"HTTP/1.1": "true true false", "HTTP/2.0": "true false true"} {
		for _, handler := range []http.Handler{application, anyBench(t).shim.Middleware(application)} {
			server := httptest.NewUnstartedServer(handler)
			server.EnableHTTP2 = protocol == "HTTP/2.0"
			server.StartTLS()
			answer, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(answer.Body)
			if string(text) != want || answer.Proto != protocol {
				t.Errorf("%s: %s", answer.Proto, text)
			}
			server.Close()
		}
	}
}

func TestAConnectionThatIsHandedOverIsTheApplications(t *testing.T) {
	b := anyBench(t)
	server := httptest.NewServer(b.shim.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		fmt.Fprint(connection, "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n")
	})))
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil || answer.StatusCode != http.StatusTeapot {
		t.Error(answer, err)
	}
}

// does uses all that a writer can do, and says what that was.
func does(w http.ResponseWriter) []string {
	var can []string
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
		can = append(can, "flushed")
	}
	if hijacker, ok := w.(http.Hijacker); ok {
		_, _, _ = hijacker.Hijack()
		can = append(can, "hijacked")
	}
	if pusher, ok := w.(http.Pusher); ok {
		_ = pusher.Push("/style.css", nil)
		can = append(can, "pushed /style.css")
	}
	if notifier, ok := w.(http.CloseNotifier); ok {
		notifier.CloseNotify()
		can = append(can, "notified")
	}
	return can
}

func copyTo(w io.Writer, text string) {
	_, _ = io.Copy(w, io.LimitReader(strings.NewReader(text), 100))
}

// serveQuietly gives what the handler panics with, nil if it does not.
func serveQuietly(h http.Handler, r *http.Request) (panicked interface{}) {
	defer func() { panicked = recover() }()
	h.ServeHTTP(httptest.NewRecorder(), r)
	return nil
}

// errorsOf reads the count of the application's errors on a path, which is there from the start.
func (b *bench) errorsOf(path string) int {
	b.t.Helper()
	metrics := b.said(get(metricsPath, "Authorization", "Bearer metrics"))
	_, after, found := strings.Cut(metrics, fmt.Sprintf("auth_errors_total{path=%q} ", path))
	var count int
	if _, err := fmt.Sscan(after, &count); err != nil || !found {
		b.t.Fatalf("no count of errors in %s", metrics)
	}
	return count
}
