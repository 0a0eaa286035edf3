package autherdualpath

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// legacyCounters are what only the cutover counts.
type legacyCounters struct {
	refusals  *prometheus.CounterVec
	shadow    *prometheus.CounterVec
	exchanges *prometheus.CounterVec
	fixture   prometheus.Gauge
}

func newLegacyCounters(c *counters, info func() Beat) legacyCounters {
	l := legacyCounters{
		refusals:  c.counter("auth_logins_refused_total", "Sessions that gained no user.", "door", "stage"),
		shadow:    c.counter("auth_shadow_checks_total", "Passwords checked at Auther beside the legacy form.", "result"),
		exchanges: c.counter("auth_exchanges_total", "Legacy sessions exchanged.", "result"),
		fixture: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "auth_detector_sees_fixture", Help: "Whether the detector sees a legacy session made for it.",
		}),
	}
	started := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "migrator_process_start_time_seconds", Help: "When this process began.",
	})
	started.Set(float64(time.Now().UnixNano()) / 1e9)
	c.registry.MustRegister(l.fixture, started, &infoCollector{info})
	return l
}

// infoCollector gives migrator_shim_info as it is when somebody asks.
type infoCollector struct{ info func() Beat }

var infoDesc = prometheus.NewDesc("migrator_shim_info", "This shim.",
	[]string{"instance", "build", "baked", "stage", "epoch", "source"}, nil)

func (i *infoCollector) Describe(ch chan<- *prometheus.Desc) { ch <- infoDesc }

func (i *infoCollector) Collect(ch chan<- prometheus.Metric) {
	b := i.info()
	ch <- prometheus.MustNewConstMetric(infoDesc, prometheus.GaugeValue, 1,
		b.Instance, b.Build, string(b.Baked), string(b.Stage), strconv.FormatInt(b.Epoch, 10), b.Source)
}
