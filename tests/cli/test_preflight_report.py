"""The report on a narrow terminal without colour."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from migrator.cli.preflight_report import show_report
from migrator.runner.canaries import Canary
from phases import p0_preflight
from tests.phases.preflight_site import make_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shown(tmp_path: Path, devise_db: str) -> list[str]:
    site = make_site(tmp_path, devise_db, auther='base_url = "http://127.0.0.1:1"')
    report = p0_preflight.run(site.context(), canaries=[Canary("member1@example.org", "wrong")])
    out = Console(file=io.StringIO(), width=80, color_system=None, highlight=False)
    show_report(out, report, show_emails=False)
    assert isinstance(out.file, io.StringIO)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


def test_fits_80_columns(shown: list[str]) -> None:
    assert [line for line in shown if len(line) > 80] == []


def test_reads_from_the_findings_to_the_verdict(shown: list[str]) -> None:
    sections = [line for before, line in pairwise(shown) if not before and line]
    assert sections == [
        "Legacy: public.users in " + shown[1].rpartition(" ")[2],
        "Account states",
        "Password values",
        "Addresses and user names",
        "What refers to users",
        "Sessions",
        "Canaries",
        "Auther: auther.db",
        "What the import would do",
        "Warnings",
        "Blockers",
        shown[-1],
    ]
    assert shown[-1].startswith("NOT READY: 1 blocker, ")


def test_one_line_holds_all_costs_of_a_scheme(shown: list[str]) -> None:
    line = next(line for line in shown if line.startswith("bcrypt $2a$"))
    assert "521  cost 4: 422, cost 5: 16" in line


def test_a_reason_stands_beside_what_to_do_about_it(shown: list[str]) -> None:
    at = next(n for n, line in enumerate(shown) if line.endswith("[canary_failed]"))
    assert shown[at].startswith("-  1 of 1 canaries do not verify")
    assert shown[at + 1].startswith("   → check the passwords")
