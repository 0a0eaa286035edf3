"""A classic Grafana dashboard of the drain, from the specification of the gates. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.dashboards.promql import SIGN_INS, Promql
from migrator.dashboards.rules import Rules, rules_of
from migrator.metrics.clients import LABEL
from migrator.metrics.exported import (
    DETECTOR,
    ERRORS,
    INFO,
    KEY_FETCHES,
    LOGINS,
    LOGINS_FAILED,
    LOGINS_REFUSED,
    REQUESTS,
)
from migrator.metrics.measures import CONFLICTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.model import Config
    from migrator.gates.spec import GateSpec

FILE = "migrator-dashboard.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
_RANGE = "$__rate_interval"
_WIDTH, _HALF, _QUARTER, _HEIGHT = 24, 12, 6, 8
_REAL = 'synthetic="0"'


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        kind: Grafana's name of it.
        targets: Expressions with their legends.
        bounds: Values from which on it is red, or below which it is.
        width: In Grafana's 24 columns.
    """

    title: str
    kind: str
    targets: tuple[tuple[str, str], ...]
    about: str = ""
    unit: str = "short"
    at_most: float | None = None
    at_least: float | None = None
    width: int = _HALF


def dashboard(config: Config) -> dict[str, Any]:
    """Make the dashboard; its data source is a variable, and nothing in it names a machine."""
    promql = Promql(config.drain.prometheus.match if config.drain.prometheus else {})
    rows = {
        "Where it stands": tuple(_standing(promql)),
        "Who is on which path": tuple(_populations(promql)),
        "Sign-ins": tuple(_sign_ins(promql)),
        "Health": tuple(_health(promql)),
        "Gates, and what is watched behind a step": tuple(_gates(rules_of(config))),
    }
    return {
        "title": f"migrator: {config.migration.name}",
        "uid": f"migrator-{config.migration.name}"[:40],
        "tags": ["migrator"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [_source_variable()]},
        "annotations": {"list": [_stage_changes(promql)]},
        "panels": _laid_out(rows),
    }


def render(config: Config) -> str:
    """Give the file to import."""
    return json.dumps(dashboard(config), indent=1) + "\n"


def _source_variable() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _stage_changes(promql: Promql) -> dict[str, Any]:
    """Mark where instances begin to follow another stage document."""
    info = promql.series(INFO)
    by_epoch = f"count by (stage, epoch) ({info})"
    return {
        "name": "Stage",
        "enable": True,
        "datasource": SOURCE,
        "iconColor": "purple",
        "expr": f"{by_epoch} unless count by (stage, epoch) ({info} offset 1m)",
        "step": "60s",
        "titleFormat": "stage {{stage}}",
        "textFormat": "epoch {{epoch}}",
    }


def _standing(promql: Promql) -> Iterator[Panel]:
    info = promql.series(INFO)
    yield Panel("Stage", "stat", ((f"count by (stage) ({info})", "{{stage}}"),), width=_QUARTER)
    yield Panel(
        "Instances",
        "timeseries",
        ((f"count by (stage, epoch) ({info})", "{{stage}}, epoch {{epoch}}"),),
        "How many instances follow which stage document.",
    )
    marker = promql.series(REQUESTS, 'path="legacy"', 'synthetic="1"')
    yield Panel(
        "Marker and detector",
        "timeseries",
        (
            (f"sum(increase({marker}[15m]))", "markers within 15m"),
            (f"min({promql.series(DETECTOR)})", "every detector sees its fixture"),
        ),
        "While either is zero, a quiet legacy path proves nothing.",
        width=_QUARTER,
    )


def _populations(promql: Promql) -> Iterator[Panel]:
    rate = _rate(promql, REQUESTS, _REAL, by="path, outcome")
    yield Panel("Requests", "timeseries", ((rate, "{{path}} {{outcome}}"),), unit="reqps")
    legacy = ('path="legacy"', 'outcome="accepted"', _REAL)
    yield Panel(
        "Legacy sessions",
        "timeseries",
        ((_rate(promql, REQUESTS, *legacy, by="stage"), "in stage {{stage}}"),),
        "Requests that the legacy side answered for: this has to become zero.",
        unit="reqps",
    )
    yield Panel(
        "Legacy requests by kind of client",
        "timeseries",
        ((_rate(promql, REQUESTS, *legacy, by=LABEL), f"{{{{{LABEL}}}}}"),),
        "Apps and programs cannot follow a redirect to a login. Without a name: of older shims.",
        unit="reqps",
    )
    remembered = _rate(promql, LOGINS, 'door="remember_me"', by="side")
    yield Panel(
        "Remember-me",
        "timeseries",
        ((remembered, "{{side}}"),),
        "They make new sessions.",
        "reqps",
    )
    foreign = _rate(promql, REQUESTS, 'path="foreign"', _REAL, by="outcome")
    yield Panel("Foreign bearers", "timeseries", ((foreign, "{{outcome}}"),), unit="reqps")
    refused = _rate(promql, REQUESTS, 'outcome="refused"', _REAL, by="reason")
    yield Panel("Refused requests", "timeseries", ((refused, "{{reason}}"),), unit="reqps")
    conflicts = "|".join(sorted(CONFLICTS))
    conflict = _rate(promql, REQUESTS, f'reason=~"{conflicts}"', by="reason")
    yield Panel("Identity conflicts", "timeseries", ((conflict, "{{reason}}"),), unit="reqps")


def _sign_ins(promql: Promql) -> Iterator[Panel]:
    weeks = tuple((f"{SIGN_INS} offset {week}", f"{week} before") for week in ("1w", "2w"))
    yield Panel(
        "Sign-ins against the weeks before", "timeseries", ((SIGN_INS, "within 1h"), *weeks)
    )
    by_door = _rate(promql, LOGINS, by="door, side")
    yield Panel("Sign-ins by door", "timeseries", ((by_door, "{{door}} {{side}}"),), unit="reqps")
    refused = _rate(promql, LOGINS_REFUSED, by="door, stage")
    yield Panel(
        "Refusals per door", "timeseries", ((refused, "{{door}} in {{stage}}"),), unit="reqps"
    )
    failed = _rate(promql, LOGINS_FAILED, by="reason")
    yield Panel("Failed sign-ins", "timeseries", ((failed, "{{reason}}"),), unit="reqps")
    for title, name in (
        ("Sessions exchanged", "auth_exchanges_total"),
        ("Tokens renewed", "auth_renewals_total"),
    ):
        rate = _rate(promql, name, by="result")
        yield Panel(title, "timeseries", ((rate, "{{result}}"),), unit="reqps")


def _health(promql: Promql) -> Iterator[Panel]:
    unavailable = _rate(promql, REQUESTS, 'outcome="unavailable"')
    requests = _rate(promql, REQUESTS, _REAL)
    failed = tuple(
        (f"({part} or 0 * {requests}) / {requests}", legend)
        for part, legend in (
            (unavailable, "the shim's 503"),
            (_rate(promql, ERRORS), "the application's 5xx"),
        )
    )
    yield Panel("Error ratio", "timeseries", failed, unit="percentunit")
    shares = tuple((promql.quantile(q, _RANGE), f"P{round(q * 100)}") for q in (0.5, 0.95, 0.99))
    yield Panel("The shim's own time", "timeseries", shares, "Until the application may run.", "s")
    fetches = _rate(promql, KEY_FETCHES, by="result")
    yield Panel("Key sets fetched", "timeseries", ((fetches, "{{result}}"),), unit="reqps")
    yield Panel("Alerts", "table", (('ALERTS{alertname=~"Migrator.*"}', ""),))


def _gates(rules: Rules) -> Iterator[Panel]:
    for alert in rules.alerts:
        if alert.spec is not None:
            yield _gate(alert.spec, alert.record)


def _gate(spec: GateSpec, record: str) -> Panel:
    return Panel(
        spec.name,
        "timeseries",
        ((record, spec.measure),),
        f"{spec.measure}, {spec.bound_in_words}; before {spec.before}. The verdict itself is the"
        " migrator's: it holds on missing data, which a curve cannot.",
        at_most=spec.at_most,
        at_least=spec.at_least,
        width=_QUARTER,
    )


def _rate(promql: Promql, name: str, *matchers: str, by: str = "") -> str:
    grouped = f"sum by ({by}) " if by else "sum"
    return f"{grouped}(rate({promql.series(name, *matchers)}[{_RANGE}]))"


def _laid_out(rows: dict[str, tuple[Panel, ...]]) -> list[dict[str, Any]]:
    """Give each panel an id and a place, from left to right below the title of its row."""
    made: list[dict[str, Any]] = []
    y = 0
    for title, panels in rows.items():
        made.append(_row(title, number=len(made) + 1, y=y))
        y, x = y + 1, 0
        for panel in panels:
            if x + panel.width > _WIDTH:
                y, x = y + _HEIGHT, 0
            made.append(_panel(panel, number=len(made) + 1, x=x, y=y))
            x += panel.width
        y += _HEIGHT
    return made


def _row(title: str, *, number: int, y: int) -> dict[str, Any]:
    place = {"x": 0, "y": y, "w": _WIDTH, "h": 1}
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": place,
        "panels": [],
    }


def _panel(panel: Panel, *, number: int, x: int, y: int) -> dict[str, Any]:
    targets = [
        {
            "refId": chr(ord("A") + position),
            "datasource": SOURCE,
            "expr": expr,
            "legendFormat": legend,
            **({"format": "table", "instant": True} if panel.kind == "table" else {}),
        }
        for position, (expr, legend) in enumerate(panel.targets)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": _HEIGHT},
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": {},
        "targets": targets,
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    drawn = (
        {}
        if panel.at_most is panel.at_least
        else {"custom": {"thresholdsStyle": {"mode": "line"}}}
    )
    return {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": _steps(panel)},
        **drawn,
    }


def _steps(panel: Panel) -> list[dict[str, Any]]:
    """Colour by the bounds; the first step has none of its own."""
    if panel.at_least is not None:
        steps: list[dict[str, Any]] = [
            {"color": "red", "value": None},
            {"color": "green", "value": panel.at_least},
        ]
    else:
        steps = [{"color": "green", "value": None}]
    return steps + (
        [{"color": "red", "value": panel.at_most}] if panel.at_most is not None else []
    )
