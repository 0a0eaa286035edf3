"""Tests of the rules for promtool: each alert fires, outlasts a short recovery, ends, and tells of missing data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from migrator.dashboards.rules import (
    ALERTS,
    FILE,
    KEEP_FIRING_FOR,
    RECORDINGS,
    STAGE_BEFORE,
    Alert,
    Rules,
    render_rules,
    rules_of,
)
from migrator.dashboards.yaml_text import to_yaml
from migrator.gates.spec import REGRESS
from migrator.metrics.exported import (
    DETECTOR,
    DURATION,
    INFO,
    KEY_FETCHES,
    LOGINS,
    LOGINS_FAILED,
    LOGINS_REFUSED,
    REQUESTS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.config.model import Config
    from migrator.gates.spec import GateSpec

TESTS, WEEKS_TESTS = "migrator-rules.test.yml", "migrator-rules-weeks.test.yml"
# The recovery that must not end an alert, and how long after everything else it is over for sure.
SHORT_MIN, SURE_MIN = 5, 8
WEEK_STEP_MIN = 20
WEEK_STEPS = 7 * 24 * 60 // WEEK_STEP_MIN
WEEKLY = 30  # sign-ins in each step
_UNITS_MIN = {"m": 1, "h": 60, "d": 1440}


@dataclass(frozen=True)
class _Shape:
    """Counters that grow by so much each minute: high makes the value great, low makes it small."""

    high: Mapping[str, float]
    low: Mapping[str, float]


def render(config: Config) -> dict[str, str]:
    """Give the rules and their tests, by the names of the files."""
    rules = rules_of(config)
    match = config.drain.prometheus.match if config.drain.prometheus else {}
    writer = _Writer(config, rules, dict(match))
    files = {FILE: render_rules(rules), TESTS: _file("1m", writer.minutes())}
    weeks = writer.weeks()
    return files | ({WEEKS_TESTS: _file(f"{WEEK_STEP_MIN}m", weeks)} if weeks else {})


def _file(interval: str, tests: Sequence[dict[str, Any]]) -> str:
    head = {
        "rule_files": [FILE],
        "evaluation_interval": interval,
        # In no order, alerts may see what was recorded an interval before.
        "group_eval_order": [RECORDINGS, ALERTS],
        "tests": list(tests),
    }
    return "# Written by `migrator drain rules`.\n" + to_yaml(head)


@dataclass(frozen=True)
class _Writer:
    config: Config
    rules: Rules
    match: dict[str, str]

    def minutes(self) -> list[dict[str, Any]]:
        """Test everything but what needs weeks."""
        found = [self._breaks(a, a.spec) for a in self.rules.alerts if a.spec and not _weekly(a)]
        flapping = next((a for a in self.rules.alerts if self._can_flap(a)), None)
        found += [self._flaps(flapping, flapping.spec)] if flapping and flapping.spec else []
        return [*found, self._nothing(), self._quiet()]

    def weeks(self) -> list[dict[str, Any]]:
        """Test what is held against the weeks before; one test, since each takes so long."""
        found = [alert for alert in self.rules.alerts if alert.spec and _weekly(alert)]
        return [
            self._breaks_weekly(
                [a for a in found if a.spec and (a.spec.at_least is None) is above]
            )
            for above in {alert.spec.at_least is None for alert in found if alert.spec}
        ]

    def _breaks(self, alert: Alert, spec: GateSpec) -> dict[str, Any]:
        window_min = _minutes(alert.record.split(":")[2])
        broken_min = ceil(alert.wait / timedelta(minutes=1)) + window_min + 2
        after_min = window_min + ceil(KEEP_FIRING_FOR / timedelta(minutes=1)) + SURE_MIN
        shape = _shape(spec, window_min)
        bad, good = (
            (shape.high, shape.low) if spec.at_most is not None else (shape.low, shape.high)
        )
        series = [
            {
                "series": self._series(name),
                "values": _two_rates(bad.get(name, 0), broken_min, good.get(name, 0), after_min),
            }
            for name in sorted({*bad, *good})
        ]
        checks = [
            self._check(alert, broken_min, fires=True),
            self._check(alert, broken_min + SHORT_MIN, fires=True),
            self._check(alert, broken_min + after_min, fires=False),
        ]
        series += self._around(_stage(spec), broken_min + after_min)
        return _test(f"{alert.name} fires, outlasts {SHORT_MIN} minutes, and ends", series, checks)

    def _can_flap(self, alert: Alert) -> bool:
        spec = alert.spec
        return (
            spec is not None
            and not alert.wait
            and spec.at_most is not None
            and spec.measure
            in {"identity_conflicts", "verification_unavailable", "legacy_requests"}
            and _minutes(alert.record.split(":")[2]) <= SHORT_MIN
        )

    def _flaps(self, alert: Alert, spec: GateSpec) -> dict[str, Any]:
        """Come and go every eight minutes, seven times."""
        shape = _shape(spec, SHORT_MIN)
        series = [
            {"series": self._series(name), "values": _bursts(step)}
            for name, step in shape.high.items()
        ]
        series += self._around(_stage(spec), 60)
        checks = [self._check(alert, minute, fires=True) for minute in range(12, 56, 3)]
        return _test(f"{alert.name} is one alert while its reason comes and goes", series, checks)

    def _nothing(self) -> dict[str, Any]:
        blind = self._named("MigratorDetectorBlind")
        about_data = [a for a in self.rules.alerts if not a.spec and a is not blind]
        checks = [self._check(alert, 10, fires=True) for alert in about_data]
        up = [{"series": self._series("up"), "values": "0x20"}]
        return _test("where nothing is scraped, missing data is told", up, checks)

    def _quiet(self) -> dict[str, Any]:
        proofs = [alert for alert in self.rules.alerts if alert.spec is None]
        checks = [self._check(alert, 40, fires=False) for alert in proofs]
        blind = self._named("MigratorDetectorBlind")
        checks.append(self._check(blind, 60, fires=True))
        blinded = {"series": self._series(DETECTOR, instance="web-9"), "values": "1x45 0x20"}
        series = [*self._around("drain", 40), blinded]
        return _test("where all is well nothing is told, and a blind detector is", series, checks)

    def _breaks_weekly(self, alerts: Sequence[Alert]) -> dict[str, Any]:
        """Let people sign in each hour for two weeks, and then nobody, or far too many."""
        steps = 2 * WEEK_STEPS + 30
        login = self._series(LOGINS, door="form", side="legacy")
        low = any(alert.spec and alert.spec.at_least is not None for alert in alerts)
        then = f"{WEEKLY * steps}x30" if low else f"{WEEKLY * steps}+{90 * WEEKLY}x30"
        series = [{"series": login, "values": f"0+{WEEKLY}x{steps} {then}"}]
        for stage in sorted({_stage(alert.spec) for alert in alerts if alert.spec}):
            series += self._around(stage, steps + 30)
        checks = [
            self._check(alert, (steps + after) * WEEK_STEP_MIN, fires=after > 0)
            for alert in alerts
            for after in (0, 14)
        ]
        made = _test("the weeks before are known", _once(series), checks)
        return made | {"interval": f"{WEEK_STEP_MIN}m"}

    def _around(self, stage: str, length: int) -> list[dict[str, str]]:
        """Give what every instance exports."""
        expected = self.config.stage.expected_instances
        number = expected if isinstance(expected, int) else len(expected)
        marker = self._series(
            REQUESTS, path="legacy", outcome="accepted", stage=stage, reason="", synthetic="1"
        )
        infos = [
            {
                "series": self._series(INFO, instance=f"web-{one}", stage=stage, epoch="1"),
                "values": f"1x{length}",
            }
            for one in range(number)
        ]
        fixture = {"series": self._series(DETECTOR), "values": f"1x{length}"}
        return [*infos, fixture, {"series": marker, "values": f"0+1x{length}"}]

    def _series(self, name: str, **labels: str) -> str:
        name, _, rest = name.partition("{")
        more = {**labels, **self.match}
        inside = ",".join(
            filter(None, [rest.rstrip("}"), *(f'{k}="{v}"' for k, v in more.items())])
        )
        return f"{name}{{{inside}}}"

    def _named(self, name: str) -> Alert:
        return next(alert for alert in self.rules.alerts if alert.name == name)

    def _check(self, alert: Alert, minute: int, *, fires: bool) -> dict[str, Any]:
        expected = [{"exp_labels": alert.labels, "exp_annotations": alert.annotations}]
        return {
            "eval_time": f"{minute}m",
            "alertname": alert.name,
            "exp_alerts": expected if fires else [],
        }


def _weekly(alert: Alert) -> bool:
    return alert.spec is not None and alert.spec.measure == "sign_in_success"


def _stage(spec: GateSpec) -> str:
    return "dual" if spec.before == REGRESS else STAGE_BEFORE[spec.before]


def _test(name: str, series: list[dict[str, str]], checks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "interval": "1m", "input_series": series, "alert_rule_test": checks}


def _once(series: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    return list({one["series"]: one for one in series}.values())


def _requests(path: str, outcome: str, reason: str = "") -> str:
    labels = f'path="{path}",outcome="{outcome}",stage="dual",reason="{reason}",synthetic="0"'
    return f"{REQUESTS}{{{labels}}}"


def _shape(spec: GateSpec, window_min: int) -> _Shape:
    bounds = (spec.at_most, spec.leave_above, spec.at_least)
    greatest = max(bound for bound in bounds if bound is not None)
    # Twice the bound within the window, and more than a handful.
    step = ceil(2 * greatest / window_min) + 10
    traffic = _requests("auther", "accepted")
    failed = f'{LOGINS_FAILED}{{reason="state"}}'
    signed_in = f'{LOGINS}{{door="callback",side="auther"}}'
    unavailable = _requests("auther", "unavailable", "verification_unavailable")
    quick, most, all_of_them = (f'{DURATION}_bucket{{le="{le}"}}' for le in ("0.001", "1", "+Inf"))
    return {
        "legacy_requests": _Shape({_requests("legacy", "accepted"): step}, {}),
        "total_requests": _Shape({traffic: step}, {traffic: 0}),
        "identity_conflicts": _Shape({_requests("both", "refused", "conflict"): step}, {}),
        "verification_unavailable": _Shape({unavailable: step}, {}),
        "error_ratio": _Shape({unavailable: 20, traffic: 0}, {traffic: 20}),
        "sign_in_failures": _Shape({failed: 20, signed_in: 0}, {signed_in: 20}),
        "shim_p95_seconds": _Shape(
            {quick: 0, most: 0, all_of_them: 20}, dict.fromkeys((quick, most, all_of_them), 20)
        ),
        "jwks_failures": _Shape({f'{KEY_FETCHES}{{result="failed"}}': step}, {}),
        "login_refusals": _Shape({f'{LOGINS_REFUSED}{{door="form",stage="drain"}}': step}, {}),
    }[spec.measure]


def _two_rates(first: float, minutes: int, then: float, rest: int) -> str:
    reached = first * minutes
    return f"0+{first:g}x{minutes} {reached + then:g}+{then:g}x{rest}"


def _bursts(step: float) -> str:
    return " ".join(f"{step * burst:g}x7" for burst in range(1, 9))


def _minutes(text: str) -> int:
    number, unit = int(text[:-1]), text[-1]
    return ceil(number * _UNITS_MIN[unit]) if unit in _UNITS_MIN else ceil(number / 60)
