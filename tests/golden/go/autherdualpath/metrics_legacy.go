package autherdualpath

import "github.com/prometheus/client_golang/prometheus"

// legacyCounters are what only the cutover counts.
type legacyCounters struct {
	refusals  *prometheus.CounterVec
	shadow    *prometheus.CounterVec
	captures  *prometheus.CounterVec
	exchanges *prometheus.CounterVec
	fixture   prometheus.Gauge
}

func newLegacyCounters(c *counters) legacyCounters {
	l := legacyCounters{
		refusals:  c.counter("auth_logins_refused_total", "Sessions that gained no user.", "door", "stage"),
		shadow:    c.counter("auth_shadow_checks_total", "Passwords checked at Auther beside the legacy form.", "result"),
		captures:  c.counter("auth_captures_total", "Passwords that Auther lacked and was given.", "result"),
		exchanges: c.counter("auth_exchanges_total", "Legacy sessions exchanged.", "result"),
		fixture: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "auth_detector_sees_fixture", Help: "Whether the detector sees a legacy session made for it.",
		}),
	}
	c.registry.MustRegister(l.fixture)
	return l
}
