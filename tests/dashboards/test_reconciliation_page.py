from __future__ import annotations

from html.parser import HTMLParser

from migrator.dashboards.reconciliation_page import (
    Difference,
    ReconciliationPage,
    Row,
    render,
)

HOSTILE = "<script>alert('x')</script>\"&"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [str(value) for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def read(page: ReconciliationPage) -> _Reader:
    reader = _Reader()
    reader.feed(render(page))
    return reader


def page(*differences: Difference, total: int | None = None) -> ReconciliationPage:
    count = len(differences) if total is None else total
    return ReconciliationPage(
        migration="shop",
        at="2026-11-23T03:00:00Z",
        holds=not differences,
        counts=[Row("users read", 500_000)],
        kinds=[Row("user.name", count)] if differences else [],
        shown=differences,
        file="differences.jsonl",
    )


def test_agreement_is_said_first_and_no_table_of_differences_is_there() -> None:
    found = read(page())
    assert "Every field agrees." in found.texts
    assert "500,000" in found.texts
    assert "Differences by kind" not in found.texts


def test_values_are_text_whatever_they_hold() -> None:
    found = read(page(Difference("user.name", HOSTILE, "a1", HOSTILE)))
    assert "script" not in found.tags
    assert found.texts.count(HOSTILE) == 2


def test_the_page_loads_nothing() -> None:
    found = read(page(Difference("user.name", "7", "a1", "")))
    assert found.loads == []
    assert "link" not in found.tags


def test_what_is_left_out_is_said() -> None:
    found = read(page(Difference("user.name", "7", "a1", ""), total=4321))
    assert any("All 4,321 are in" in text for text in found.texts)
    assert "The first 1" in found.texts
