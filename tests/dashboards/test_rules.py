"""What is written for Prometheus and Grafana, read by Prometheus's own tool."""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from migrator.config.load import load
from migrator.dashboards import grafana
from migrator.dashboards.rule_tests import TESTS, WEEKS_TESTS, render
from migrator.dashboards.rules import FILE, rules_of
from migrator.dashboards.yaml_text import to_yaml
from migrator.metrics.exported import LABELS
from migrator.metrics.health import HEALTH_MEASURES
from tests.parts import require

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.config.model import Config

EVERYTHING = """
[drain.prometheus]
url = "http://127.0.0.1:9090"
match = { job = "shop" }
"""
REGRESSES = (
    ("slow", "shim_p95_seconds", 0.1),
    ("keys", "jwks_failures", 5),
    ("doors", "login_refusals", 100),
    ("failures", "sign_in_failures", 0.3),
    ("conflicts", "identity_conflicts", 5),
)
METRIC = re.compile(r"\b(?:auth|migrator)_[a-z_]+\b")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The default gates, and a regress for each other measure."""
    template = (files("migrator.config") / "template.toml").read_text(encoding="utf-8")
    text = template.replace("{{ name }}", "shop").replace("{{ verified_when }}", "always")
    for name, measure, bound in REGRESSES:
        text += f'\n[[regress]]\nname = "{name}"\nmeasure = "{measure}"\nat_most = {bound}\n'
    path = tmp_path_factory.mktemp("operator") / "migrator.toml"
    path.write_text(text + EVERYTHING)
    return load(path)


def promtool(folder: Path, *arguments: str) -> str:
    require("prometheus")
    # A quarter of its time would go into keeping its memory small.
    done = subprocess.run(
        ["promtool", *arguments],
        cwd=folder,
        env=os.environ | {"GOGC": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_alert_fires_outlasts_a_short_recovery_and_ends_and_missing_data_is_told(
    config: Config, tmp_path: Path
) -> None:
    for name, text in render(config).items():
        (tmp_path / name).write_text(text)
    rules = rules_of(config)
    count = len(rules.recordings) + len(rules.alerts)
    assert f"SUCCESS: {count} rules found" in promtool(tmp_path, "check", "rules", FILE)
    assert promtool(tmp_path, "test", "rules", TESTS, WEEKS_TESTS).count("SUCCESS") == 2


def test_a_rule_that_does_not_do_what_its_test_says_is_found(
    config: Config, tmp_path: Path
) -> None:
    gates = tuple(gate for gate in config.gates if gate.name == "dual-conflicts")
    written = render(config.model_copy(update={"gates": gates, "regress": ()}))
    flat = written[FILE].replace('keep_firing_for: "10m"', 'keep_firing_for: "0s"')
    assert flat != written[FILE]
    (tmp_path / FILE).write_text(flat)
    (tmp_path / TESTS).write_text(written[TESTS])
    with pytest.raises(AssertionError, match="is one alert while its reason comes and goes"):
        promtool(tmp_path, "test", "rules", TESTS)


def test_each_gate_has_an_alert_or_is_named_as_what_only_the_migrator_knows(
    config: Config,
) -> None:
    rules = rules_of(config)
    known = {alert.spec.name for alert in rules.alerts if alert.spec}
    everything = {gate.name for gate in config.gates} | {one.name for one in config.regress}
    assert known | set(rules.left_out) == everything
    counted = {
        *HEALTH_MEASURES,
        "legacy_requests",
        "total_requests",
        "identity_conflicts",
        "verification_unavailable",
    }
    assert {gate.name for gate in config.gates if gate.measure not in counted} == set(
        rules.left_out
    )
    assert (
        f"# Not here, since only the migrator knows: {', '.join(rules.left_out)}"
        in (render(config)[FILE])
    )
    names = [alert.name for alert in rules.alerts]
    assert len(set(names)) == len(names)


def test_every_alert_leads_to_a_panel_a_command_and_a_page_that_is_there(config: Config) -> None:
    panels = {panel["title"] for panel in grafana.dashboard(config)["panels"]}
    for alert in rules_of(config).alerts:
        assert alert.panel in panels
        assert alert.command.startswith("migrator ")
        assert alert.runbook.startswith("runbooks/")


def expressions(made: dict[str, Any]) -> list[str]:
    queries = [target["expr"] for panel in made["panels"] for target in panel.get("targets", ())]
    return [*queries, *(each["expr"] for each in made["annotations"]["list"])]


def test_every_query_of_the_dashboard_is_one_that_prometheus_reads(
    config: Config, tmp_path: Path
) -> None:
    found = expressions(json.loads(grafana.render(config)))
    queries = [query.replace("$__rate_interval", "5m") for query in found]
    rules = [{"record": f"query:{n}", "expr": query} for n, query in enumerate(queries)]
    (tmp_path / "queries.yml").write_text(to_yaml({"groups": [{"name": "g", "rules": rules}]}))
    said = promtool(tmp_path, "check", "rules", "queries.yml")
    assert f"SUCCESS: {len(queries)} rules found" in said


def test_only_what_shims_export_is_named_and_only_of_this_migration(config: Config) -> None:
    rules = rules_of(config)
    recorded = {recording.record for recording in rules.recordings}
    queries = [*expressions(grafana.dashboard(config)), *(one.expr for one in rules.recordings)]
    queries += [alert.expr for alert in rules.alerts]
    for query in queries:
        names = set(METRIC.findall(re.sub(r'"[^"]*"', "", query)))
        assert names <= LABELS.keys(), query
        assert names or any(record in query for record in recorded) or "ALERTS" in query
        for name in names:
            assert all(
                'job="shop"' in selector for selector in re.findall(rf"{name}({{[^}}]*}})?", query)
            ), query


def test_the_dashboard_has_its_own_source_ids_and_places(config: Config) -> None:
    made = json.loads(grafana.render(config))
    panels = made["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert made["templating"]["list"][0]["type"] == "datasource"
    assert {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"} == {
        "${source}"
    }
    assert "127.0.0.1" not in json.dumps(made)


def test_yaml_is_blocks_of_bare_keys_and_quoted_texts() -> None:
    data = {"a": [], "b": {"c": [1, {"d": "x: #y", "e": {"f": None}}, ["z"]]}}
    assert to_yaml(data).splitlines() == [
        "a: []",
        "b:",
        "  c:",
        "    - 1",
        '    - d: "x: #y"',
        "      e:",
        "        f: null",
        '    - - "z"',
    ]
