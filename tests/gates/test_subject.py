"""Samples and passes of one source of counters say nothing about another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.cli.init import render
from migrator.config.load import load
from migrator.gates.spec import spec_of_regress, specs_before

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


def test_another_window_of_health_is_another_subject(tmp_path: Path) -> None:
    text = render("shop", verified_when="confirmed")

    def errors(window: str) -> str:
        changed = text.replace('health_window = "5m"', f'health_window = "{window}"')
        (tmp_path / "migrator.toml").write_text(changed, encoding="utf-8")
        config = load(tmp_path / "migrator.toml")
        return spec_of_regress(config, config.regress[1]).subject

    assert errors("5m") != errors("6m")
