"""What a gate asks for is what its section says, and its subject what the configuration measures."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from migrator.cli.init import render
from migrator.config.gate import GateSection
from migrator.config.load import load
from migrator.config.model import Config
from migrator.config.regress import RegressSection
from migrator.gates.spec import REGRESS, GateSpec, spec_of, spec_of_regress, specs_before

if TYPE_CHECKING:
    from pathlib import Path

PROMETHEUS = """
[drain.prometheus]
url = "https://reader:hunter2@prometheus.example.org"
match = {{ job = "{job}" }}
"""
LOGS = """
[[drain.logs]]
instance = "web-1"
files = "{files}"
"""


def subject(folder: Path, *, counters: str, sections: str) -> str:
    """What the gate `drain-quiet` measures, by a configuration with these sections."""
    text = render("shop", verified_when="confirmed")
    text = text.replace('counters = "shims"', f'counters = "{counters}"')
    (folder / "migrator.toml").write_text(text + sections, encoding="utf-8")
    quiet = specs_before(load(folder / "migrator.toml"), "auther")
    return next(spec.subject for spec in quiet if spec.name == "drain-quiet")


def test_every_other_source_or_place_of_counters_is_another_subject(tmp_path: Path) -> None:
    both = PROMETHEUS.format(job="shop") + LOGS.format(files="a.log")
    subjects = [
        subject(tmp_path, counters="shims", sections=both),
        subject(tmp_path, counters="prometheus", sections=both),
        subject(tmp_path, counters="prometheus", sections=PROMETHEUS.format(job="other")),
        subject(tmp_path, counters="logs", sections=both),
        subject(tmp_path, counters="logs", sections=LOGS.format(files="b.log")),
    ]
    assert len(set(subjects)) == len(subjects)
    assert "hunter2" not in "".join(subjects)


SMALLEST = {"name": "any", "before": "auther", "at_most": 1, "span": "1h"}
SECTIONS: dict[str, dict[str, Any]] = {
    "legacy": {"model": "Member", "session_store": "laravel", "sessions_table": "web.visits"},
    "auther": {"base_url": "https://id.example.org", "peak_sign_ins_per_s": 2.5},
    "stage": {"expected_instances": 2},
    "drain": {"shims": ["https://b.example.org", "https://a.example.org"], "seen_within": "2d"},
    "remove": {"server_log": "/var/log/pg.csv", "tables": ["public.sessions", "public.visits"]},
}
WITH_LOGS = {
    "counters": "logs",
    "logs": [{"instance": "b", "files": "b.log"}, {"instance": "a", "files": "a.log"}],
}
WITH_PROMETHEUS = {
    "counters": "prometheus",
    "prometheus": {
        "url": "https://reader:hunter2@prometheus.example.org",
        "match": {"job": "shop", "env": "live"},
    },
}


def config(*gates: dict[str, Any], drain: dict[str, Any] | None = None) -> Config:
    data = tomllib.loads(render("shop", verified_when="confirmed"))
    for section, keys in SECTIONS.items():
        data[section] |= keys
    data["drain"] |= drain or {}
    return Config.model_validate({**data, "gates": gates})


def section(measure: str = "total_requests", **keys: Any) -> GateSection:
    return GateSection.model_validate(SMALLEST | {"measure": measure} | keys)


def test_a_gate_asks_for_what_its_section_says() -> None:
    written = section(
        name="busy",
        before="drain",
        at_most=9,
        at_least=2,
        leave_above=10,
        leave_below=1,
        consecutive=5,
        span="2h",
        interval="7m",
        control=False,
    )
    assert spec_of(config(), written) == GateSpec(
        name="busy",
        before="drain",
        measure="total_requests",
        at_most=9,
        at_least=2,
        leave_above=10,
        leave_below=1,
        consecutive=5,
        span=timedelta(hours=2),
        interval=timedelta(minutes=7),
        control=False,
        subject="2 at ['https://a.example.org', 'https://b.example.org']",
    )


@pytest.mark.parametrize("bounds", [{"at_most": 3.0}, {"at_least": 4.0}])
def test_a_regress_has_one_bound_and_needs_no_span_and_no_control(
    bounds: dict[str, float],
) -> None:
    keys = {"name": "refused", "measure": "identity_conflicts", "consecutive": 4}
    written = RegressSection.model_validate({**keys, **bounds, "interval": "2m"})
    assert spec_of_regress(config(), written) == GateSpec(
        name="refused",
        before=REGRESS,
        measure="identity_conflicts",
        at_most=bounds.get("at_most"),
        at_least=bounds.get("at_least"),
        leave_above=None,
        leave_below=None,
        consecutive=4,
        span=timedelta(0),
        interval=timedelta(minutes=2),
        control=False,
        subject="2 at ['https://a.example.org', 'https://b.example.org']",
    )


def test_the_gates_of_a_step_come_in_the_order_of_the_file() -> None:
    written = [
        SMALLEST | {"name": name, "before": step, "measure": "rollbacks"}
        for name, step in (("z", "auther"), ("y", "remove"), ("a", "auther"))
    ]
    found = specs_before(config(*written), "auther")
    assert [(spec.name, spec.subject) for spec in found] == [
        ("z", "shop Member"),
        ("a", "shop Member"),
    ]


@pytest.mark.parametrize(
    ("measure", "subject"),
    [
        ("legacy_sessions", "Member in laravel web.visits"),
        ("refused_reads", "/var/log/pg.csv for public.sessions, public.visits"),
        ("sign_in_load", "2.5 at https://id.example.org"),
        ("import_differences", "shop Member"),
        ("rollbacks", "shop Member"),
        ("auther_sign_ins", "https://id.example.org"),
        ("auther_sign_in_failures", "https://id.example.org"),
        ("auther_rehash_failures", "https://id.example.org"),
        ("unrehashed_users", "https://id.example.org"),
        ("legacy_homes", "Member within 2 days, 0:00:00"),
        ("users_seen_on_legacy", "Member within 2 days, 0:00:00"),
        ("legacy_requests", "2 at ['https://a.example.org', 'https://b.example.org']"),
    ],
)
def test_a_subject_names_what_is_measured(measure: str, subject: str) -> None:
    assert spec_of(config(), section(measure)).subject == subject


@pytest.mark.parametrize(
    ("drain", "subject"),
    [
        (WITH_LOGS, "2 at logs [('a', 'a.log'), ('b', 'b.log')]"),
        (
            WITH_PROMETHEUS,
            "2 at prometheus https://reader:***@prometheus.example.org [('env', 'live'), ('job', 'shop')]",
        ),
    ],
)
def test_of_counters_a_subject_names_the_source_in_an_order_of_its_own(
    drain: dict[str, Any], subject: str
) -> None:
    assert spec_of(config(drain=drain), section()).subject == subject


def test_another_window_of_health_is_another_subject(tmp_path: Path) -> None:
    text = render("shop", verified_when="confirmed")

    def errors(window: str) -> str:
        changed = text.replace('health_window = "5m"', f'health_window = "{window}"')
        (tmp_path / "migrator.toml").write_text(changed, encoding="utf-8")
        config = load(tmp_path / "migrator.toml")
        return spec_of_regress(config, config.regress[1]).subject

    assert errors("5m") != errors("6m")
