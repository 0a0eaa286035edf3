from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from migrator.dashboards.page import ORDER, Request, document, evidence_hash, parts, report
from tests.dashboards.overviews import (
    ACCUMULATING,
    AT,
    EVIDENCE,
    FAILED,
    HELD,
    LATE,
    LOST,
    NOTHING_YET,
    PASSED,
    REMOVED,
    STATES,
    gate,
)

HOSTILE = "<script>alert('x')</script>\"&"
REQUEST = Request(
    "move the stage to auther",
    "migrator dual-path stage set auther",
    ("Ann (owner)", "Ben (on duty)"),
    "migrator dual-path stage rollback: one local command, no gate",
)


class _Reader(HTMLParser):
    """Notes what a page would run or load, ids, and tags that are left open."""

    VOID = frozenset({"meta", "link", "br", "use", "path", "rect", "circle"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def page(over: object = ACCUMULATING) -> str:
    return document(over, parts(over), mark="boot-1", measuring=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", STATES)
def test_the_page_is_whole_small_and_has_nothing_inline(name: str) -> None:
    html = page(STATES[name])
    read = _Reader(html)
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    assert set(ORDER) <= set(read.ids)
    assert "style" not in read.tags + read.attributes
    assert not [name for name in read.attributes if name.startswith("on")]
    assert len(html.encode()) < 200_000
    assert "None" not in re.sub(r"<[^>]*>", "", html)


def test_each_part_has_one_root_of_its_own_name() -> None:
    for name, html in parts(ACCUMULATING).items():
        assert html.startswith((f'<section id="{name}"', '<span id="said"'))


def test_a_part_changes_only_when_what_it_says_does() -> None:
    before, after = parts(ACCUMULATING), parts(FAILED)
    assert {name for name in before if before[name] != after[name]} == {"said", "next", "gates"}
    later = replace(ACCUMULATING, at=AT.replace(minute=1))
    same = {name for name, html in parts(later).items() if html == before[name]}
    assert set(ORDER) - same <= {"curve"}


def test_whatever_an_instance_calls_itself_stays_text() -> None:
    picture = replace(
        ACCUMULATING.picture,
        migration=HOSTILE,
        doubts=(HOSTILE,),
        gates=(gate(HOSTILE, "HELD", HOSTILE),),
        instances=(replace(ACCUMULATING.picture.instances[0], instance=HOSTILE, build=HOSTILE),),
        counters=(replace(ACCUMULATING.picture.counters[0], instance=HOSTILE),),
    )
    over = replace(ACCUMULATING, picture=picture, lost=HOSTILE)
    for html in (page(over), report(over, replace(REQUEST, approvers=(HOSTILE,)))):
        assert "<script>alert" not in html
        assert HOSTILE not in html


def test_unknown_looks_unknown() -> None:
    made = parts(NOTHING_YET)
    assert "Nobody has looked yet." in made["next"]
    assert made["figures"].count("not known") == 2
    assert "Not known" in made["people"]
    for name in ("next", "figures", "gates", "people", "requests", "instances", "sides"):
        assert 'class="state passed"' not in made[name]


def test_a_state_that_is_away_takes_every_pass_back() -> None:
    made = parts(replace(PASSED, lost=LOST.lost, lost_since=AT))
    assert 'class="state passed"' not in "".join(made.values())
    assert made["gates"].count("The state is not read; it was PASSED") == 4
    assert "When it was read last, 4 of 4 gates" in made["next"]


def test_numbers_that_nobody_renews_are_said_to_be_old() -> None:
    made = parts(LATE)
    assert "Nobody has looked for a while." in made["next"]
    assert "All that was measured is from" in made["next"]
    assert 'class="state passed"' not in made["instances"]


def test_a_number_with_a_doubt_is_at_least_that() -> None:
    made = parts(HELD)
    assert "≥ 391" in made["figures"]
    assert "2 rows cannot be decoded" in made["doubts"]


@pytest.mark.parametrize(
    ("states", "together"),
    [
        ([], "HELD"),
        (["PASSED", "PASSED"], "PASSED"),
        (["PASSED", "FAILED", "HELD"], "FAILED"),
        (["PASSED", "ACCUMULATING"], "ACCUMULATING"),
        (["PASSED", "ACCUMULATING", "HELD"], "HELD"),
        (["PASSED", "PENDING"], "HELD"),
        (["EXPIRED"], "EXPIRED"),
        (["PASSED", "OVERRIDDEN"], "OVERRIDDEN"),
        (["OVERRIDDEN", "HELD"], "HELD"),
    ],
)
def test_gates_together_are_as_good_as_the_worst(states: list[str], together: str) -> None:
    rows = tuple(gate(f"g{n}", state, "because") for n, state in enumerate(states))
    over = replace(ACCUMULATING, picture=replace(ACCUMULATING.picture, gates=rows))
    assert over.decision == together


def test_after_the_removal_nobody_has_to_look() -> None:
    assert (REMOVED.decision, REMOVED.unknown, REMOVED.next_command) == ("REMOVED", "", "")
    assert "Nothing is left to do." in parts(REMOVED)["next"]


def test_the_report_needs_nothing_else_and_names_what_it_rests_on() -> None:
    over = replace(PASSED, evidence=EVIDENCE)
    html = report(over, REQUEST)
    read = _Reader(html)
    assert read.open == []
    assert not {"script", "link"} & set(read.tags)
    assert "href" not in {name for name in read.attributes if name != "href"}
    assert re.search(
        r"default-src 'none'; style-src 'sha256-[\w+/]{43}='", html.replace("&#39;", "'")
    )
    for said in (*REQUEST.approvers, REQUEST.command, evidence_hash(over), "2026-11-23 03:00:00Z"):
        assert said in html
    assert '<details id="curve-table" open>' in html


def test_after_the_removal_a_report_is_a_record_and_asks_for_nothing() -> None:
    html = report(replace(REMOVED, evidence=EVIDENCE), None)
    assert "Record: the removal is done" in html
    assert "migrator remove receipt" in html
    for asked in ("Change request", "asked to approve", EVIDENCE[0].spec_hash):
        assert asked not in html


def test_the_evidence_is_another_when_anything_that_counts_is() -> None:
    over = replace(PASSED, evidence=EVIDENCE)
    others = [
        replace(over, evidence=EVIDENCE[1:]),
        replace(over, picture=replace(over.picture, epoch=8)),
        replace(over, ledger=replace(over.ledger, head="1f" * 32)),
        replace(over, picture=replace(over.picture, step="remove")),
    ]
    assert len({evidence_hash(one) for one in (over, *others)}) == 5
    assert evidence_hash(replace(over, at=AT.replace(hour=9))) == evidence_hash(over)
