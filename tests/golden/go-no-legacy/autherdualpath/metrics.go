package autherdualpath

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// counters have closed labels; each decision is also one line of JSON in the log.
type counters struct {
	log      *log.Logger
	registry *prometheus.Registry
	exposed  http.Handler

	requests  *prometheus.CounterVec
	errors    *prometheus.CounterVec
	durations prometheus.Histogram
	logins    *prometheus.CounterVec
	failures  *prometheus.CounterVec
	fetches   *prometheus.CounterVec
	logouts   *prometheus.CounterVec
	renewals  *prometheus.CounterVec
	jit       *prometheus.CounterVec
}

func newCounters(logger *log.Logger, info func() Beat) *counters {
	c := &counters{log: logger, registry: prometheus.NewRegistry()}
	c.requests = c.counter("auth_requests_total", "Requests by decision.", "path", "outcome", "stage", "reason", "client", "synthetic")
	c.durations = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "auth_decision_duration_seconds", Help: "How long a request waits for its decision.",
		Buckets: []float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1},
	})
	started := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "migrator_process_start_time_seconds", Help: "When this process began.",
	})
	started.Set(float64(time.Now().UnixNano()) / 1e9)
	c.registry.MustRegister(c.durations, started, &infoCollector{info})
	c.errors = c.counter("auth_errors_total", "Requests that the application answered with a 5xx.", "path")
	for _, path := range []string{"legacy", "auther", "both", "foreign", "none"} {
		c.errors.WithLabelValues(path) // there from the start: none so far is not the same as not counted
	}
	c.logins = c.counter("auth_logins_total", "Sessions that gained a user.", "door", "side")
	c.failures = c.counter("auth_logins_failed_total", "Logins at Auther that did not come to an end.", "reason")
	c.fetches = c.counter("auth_jwks_fetch_total", "Fetches of the key set.", "result")
	c.logouts = c.counter("auth_logouts_total", "Logouts by what became of Auther's own session.", "auther")
	c.renewals = c.counter("auth_renewals_total", "Renewals of an expired token.", "result")
	c.jit = c.counter("auth_jit_total", "Users made for an unknown sub.", "result")
	c.exposed = promhttp.HandlerFor(c.registry, promhttp.HandlerOpts{})
	return c
}

func (c *counters) counter(name, help string, labels ...string) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	c.registry.MustRegister(vec)
	return vec
}

// infoCollector gives migrator_shim_info as it is when somebody asks.
type infoCollector struct{ info func() Beat }

var infoDesc = prometheus.NewDesc("migrator_shim_info", "This shim.",
	[]string{"instance", "build", "baked", "stage", "epoch", "source"}, nil)

func (i *infoCollector) Describe(ch chan<- *prometheus.Desc) { ch <- infoDesc }

func (i *infoCollector) Collect(ch chan<- prometheus.Metric) {
	b := i.info()
	ch <- prometheus.MustNewConstMetric(infoDesc, prometheus.GaugeValue, 1,
		b.Instance, b.Build, b.Baked, b.Stage, strconv.FormatInt(b.Epoch, 10), b.Source)
}

// decided counts a request; the labels are those of the cutover, which is over.
func (c *counters) decided(d *decision, r *http.Request) {
	const stage, flag = "auther", "0"
	client := clientOf(d, r)
	c.requests.WithLabelValues(d.path, d.outcome, string(stage), d.reason, client, flag).Inc()
	if d.waited > 0 {
		c.durations.Observe(d.waited.Seconds())
	}
	c.line(logLine{
		Event: "auth", Path: d.path, Outcome: d.outcome, Stage: string(stage), Reason: &d.reason, Client: client,
		WaitedUS: d.waited.Microseconds(),
	})
}

// answered counts an answer of the application, where it failed.
func (c *counters) answered(d *decision, status int) {
	if status >= http.StatusInternalServerError {
		c.errors.WithLabelValues(d.path).Inc()
	}
}

// clientOf says what kind of client asks: by the signs of a browser, without any by its credential. A person's makes it
// an app; an API key, another's bearer or none a program.
func clientOf(d *decision, r *http.Request) string {
	if isFromBrowser(r) {
		return "browser"
	}
	if d.path == "none" || d.path == "foreign" || d.user != nil && d.user.Claims.ForAPIKey {
		return "api"
	}
	return "app"
}

// logLine holds no name, address or token.
type logLine struct {
	Event   string  `json:"event"`
	Path    string  `json:"path,omitempty"`
	Outcome string  `json:"outcome,omitempty"`
	Stage   string  `json:"stage,omitempty"`
	Reason  *string `json:"reason,omitempty"`
	Client  string  `json:"client,omitempty"`

	WaitedUS int64 `json:"waited_us,omitempty"`
}

func (c *counters) line(line logLine) { writeLine(c.log, line) }

func writeLine(logger *log.Logger, line interface{}) {
	if text, err := json.Marshal(line); err == nil {
		logger.Print(string(text))
	}
}

// warn says what went wrong beside a request. Errors of drivers and clients hold no token and no password.
func (s *Shim) warn(what string, err error) { warn(s.log, what, err) }

func warn(logger *log.Logger, what string, err error) {
	writeLine(logger, map[string]string{"event": "auth_warning", "problem": what, "error": fmt.Sprint(err)})
}
