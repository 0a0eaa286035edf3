"""Recording and alert rules for Prometheus, from the specification of the gates. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migrator.dashboards.promql import SIGN_INS, Promql, promql_duration
from migrator.dashboards.yaml_text import to_yaml
from migrator.gates.spec import REGRESS, spec_of, spec_of_regress
from migrator.metrics.exported import DETECTOR, INFO, REQUESTS
from migrator.metrics.health import HEALTH_MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.model import Config
    from migrator.gates.spec import GateSpec

RECORDINGS, ALERTS = "migrator-recordings", "migrator-alerts"
FILE = "migrator-rules.yml"
# So long an alert goes on after its reason: what comes and goes is one alert, not twenty.
KEEP_FIRING_FOR = timedelta(minutes=10)
SHORTEST_WINDOW = timedelta(minutes=1)
CONTROL_WINDOW = "15m"
# In which stage a step is the next one.
STAGE_BEFORE = {"dual": "legacy", "drain": "dual", "auther": "drain", "remove": "auther"}
DRAIN, INCIDENT = "runbooks/p3-drain.md", "runbooks/incident-rollback.md"


@dataclass(frozen=True)
class Recording:
    """A recording rule."""

    record: str
    expr: str


@dataclass(frozen=True)
class Alert:
    """An alert rule.

    Attributes:
        spec: The gate or regress that it is made from; None for those about the data itself.
        record: The recording that it watches, or whose absence it tells; '' without one.
        severity: `page` wakes somebody, `warning` does not, `info` only holds a step.
        panel: Title of the panel in the Grafana dashboard.
        command: What tells more.
    """

    name: str
    expr: str
    wait: timedelta
    severity: str
    summary: str
    panel: str
    command: str
    runbook: str = f"{DRAIN}#alerts"
    spec: GateSpec | None = None
    record: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """Give the labels that the rule puts on."""
        return {"severity": self.severity}

    @property
    def annotations(self) -> dict[str, str]:
        """Give what people read."""
        return {
            "summary": self.summary,
            "panel": self.panel,
            "command": self.command,
            "runbook_url": self.runbook,
        }


@dataclass(frozen=True)
class Rules:
    """All rules.

    Attributes:
        left_out: Gates and regresses that Prometheus cannot judge, since only the migrator knows what
            they are about.
    """

    recordings: tuple[Recording, ...]
    alerts: tuple[Alert, ...]
    left_out: tuple[str, ...]


def rules_of(config: Config) -> Rules:
    """Make a recording for each measurement and an alert for each gate, regress and lack of data."""
    promql = Promql(config.drain.prometheus.match if config.drain.prometheus else {})
    specs = [
        *(spec_of(config, gate) for gate in config.gates),
        *(spec_of_regress(config, section) for section in config.regress),
    ]
    known = [spec for spec in specs if promql.of(spec.measure, "5m") is not None]
    recordings = {SIGN_INS: Recording(SIGN_INS, promql.sign_ins())}
    for spec in known:
        expr = promql.of(spec.measure, _window(spec, config))
        record = record_of(spec, config)
        recordings[record] = Recording(record, str(expr))
    alerts = [_alert(config, promql, spec) for spec in known]
    alerts += [_no_data(recording) for recording in recordings.values()]
    alerts += _proofs(config, promql)
    left_out = tuple(spec.name for spec in specs if spec not in known)
    return Rules(tuple(recordings.values()), tuple(alerts), left_out)


def record_of(spec: GateSpec, config: Config) -> str:
    """Name the series that a gate or regress is judged by."""
    return f"migrator:{spec.measure}:{_window(spec, config)}"


def render_rules(rules: Rules) -> str:
    """Write the file of rules."""
    groups = [
        {
            "name": RECORDINGS,
            "rules": [recording.__dict__ for recording in rules.recordings],
        },
        {"name": ALERTS, "rules": [_rule(alert) for alert in rules.alerts]},
    ]
    return "\n".join(_head(rules)) + "\n" + to_yaml({"groups": groups})


def _head(rules: Rules) -> Iterator[str]:
    yield "# Written by `migrator drain rules` from the gates in migrator.toml; write it again, do not edit."
    yield "# Test: promtool test rules migrator-rules*.test.yml"
    if rules.left_out:
        yield "# Not here, since only the migrator knows: " + ", ".join(rules.left_out)


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": promql_duration(alert.wait),
        "keep_firing_for": promql_duration(KEEP_FIRING_FOR),
        "labels": alert.labels,
        "annotations": alert.annotations,
    }


def _window(spec: GateSpec, config: Config) -> str:
    """Say over what a measurement counts: health over its own window, sign-ins over an hour."""
    if spec.measure.startswith("sign_in_"):
        return "1h"
    is_health = spec.measure in HEALTH_MEASURES
    span = config.drain.health_window if is_health else spec.interval
    return promql_duration(max(span, SHORTEST_WINDOW))


def _alert(config: Config, promql: Promql, spec: GateSpec) -> Alert:
    record = record_of(spec, config)
    broken = " or ".join(_broken(spec, record))
    acts = spec.before == REGRESS
    if not acts:
        stage = promql.series(INFO, f'stage="{STAGE_BEFORE[spec.before]}"')
        broken = f"({broken}) and on() count({stage}) > 0"
    about = "health" if acts else f"gate before {spec.before}"
    return Alert(
        name=camel("Migrator", spec.name),
        expr=broken,
        spec=spec,
        record=record,
        wait=spec.interval * (spec.consecutive - 1) if acts else timedelta(0),
        severity="page" if acts else "info",
        summary=f"{spec.name} ({about}): {spec.measure} is not {spec.bound_in_words}",
        panel=spec.name,
        command="migrator drain health" if acts else f"migrator gate check {spec.name}",
        runbook=f"{INCIDENT}#alerts" if acts else f"{DRAIN}#alerts",
    )


def _broken(spec: GateSpec, record: str) -> Iterator[str]:
    """Break the bounds to leave: between these and those to enter nothing new has happened."""
    if spec.at_most is not None:
        bound = spec.at_most if spec.leave_above is None else spec.leave_above
        yield f"{record} > {bound:g}"
    if spec.at_least is not None:
        bound = spec.at_least if spec.leave_below is None else spec.leave_below
        yield f"{record} < {bound:g}"


def _no_data(recording: Recording) -> Alert:
    _, measure, window = recording.record.split(":")
    return Alert(
        name=camel("MigratorNoData", measure, window),
        expr=f"absent({recording.record})",
        record=recording.record,
        wait=timedelta(minutes=5),
        severity="warning",
        summary=f"nothing is known of {measure}: no instance is scraped, or the rules do not run",
        panel="Instances",
        command="migrator drain status",
    )


def _proofs(config: Config, promql: Promql) -> list[Alert]:
    """Make the alerts about what makes a zero believable."""
    expected = config.stage.expected_instances
    number = expected if isinstance(expected, int) else len(expected)
    info = promql.series(INFO)
    marker = promql.series(REQUESTS, 'path="legacy"', 'synthetic="1"')
    return [
        _proof(
            "MigratorInstancesMissing",
            f"(count({info}) or vector(0)) < {number}",
            f"fewer than {number} instances are scraped: what the others count is not known",
            "Instances",
        ),
        _proof(
            "MigratorMarkerNotCounted",
            f"(sum(increase({marker}[{CONTROL_WINDOW}])) or vector(0)) == 0",
            "no marker was counted as legacy traffic: a quiet legacy path proves nothing",
            "Marker and detector",
        ),
        _proof(
            "MigratorDetectorBlind",
            f"min({promql.series(DETECTOR)}) == 0",
            "an instance does not see a legacy session made for it",
            "Marker and detector",
        ),
    ]


def _proof(name: str, expr: str, summary: str, panel: str) -> Alert:
    wait, command = timedelta(minutes=5), "migrator drain status"
    return Alert(name, expr, wait, "warning", summary, panel, command)


def camel(*parts: str) -> str:
    """Put words together as names of alerts are written."""
    words = [word for part in parts for word in part.replace("_", "-").split("-")]
    return "".join(word[:1].upper() + word[1:] for word in words)
