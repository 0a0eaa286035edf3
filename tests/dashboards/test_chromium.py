"""The page in a real browser, in each of its states. Pictures go to .parts/screenshots, to be looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from migrator.dashboards.page import ORDER, report
from tests.dashboards.overviews import ACCUMULATING, EVIDENCE, FAILED, HELD, LOST, PASSED, STATES
from tests.dashboards.site import Site, running_site
from tests.dashboards.test_page import REQUEST
from tests.parts import require
from tests.parts.chromium import Page, window
from tests.setup.paths import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.dashboards.overview import Overview

pytestmark = pytest.mark.xdist_group("dashboard")
PICTURES = PARTS / "screenshots"
LOOKS = {
    "desktop-light": {"width": 1280, "height": 900},
    "desktop-dark": {"width": 1280, "height": 900, "dark": True},
    "phone": {"width": 360, "height": 740},
}
SHOWN = "return document.querySelector('#next')?.dataset.title === arguments[0]"
# Everything that takes the keyboard, in order.
REACHABLE = "return document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length"
HERE = """
const on = document.activeElement;
const line = getComputedStyle(on).outlineStyle;
return on === document.body ? null : [on.outerHTML.slice(0, 60), line !== 'none'];
"""
UNNAMED = {"link", "heading", "table", "region", "navigation", "image", "columnheader"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site(STATES["nothing-yet"]) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    require("chromium")
    with window(tmp_path_factory.mktemp("browser") / "profile") as page:
        yield page


@pytest.fixture
def page(site: Site, browser: Page) -> Iterator[Page]:
    """The page, open; whatever a test does, nothing may go wrong in the browser and nobody else be asked."""
    browser.said("performance")
    browser.said("browser")
    browser.wide(**LOOKS["desktop-light"])  # type: ignore[arg-type]
    browser.open(f"{site.address}/")
    yield browser
    assert browser.said("browser") == []
    assert strangers(browser, site.address) == []


def strangers(page: Page, address: str) -> list[str]:
    """Addresses of others that the page asked for something."""
    sent = [json.loads(line["message"])["message"] for line in page.said("performance")]
    urls = [
        m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"
    ]
    assert urls
    return [url for url in urls if url.startswith(("http", "ws")) and not url.startswith(address)]


def show(site: Site, page: Page, over: Overview) -> None:
    """Show a state and wait until the open page has it."""
    site.show(over)
    page.until(SHOWN, f"{over.decision} · {over.picture.migration}")


@pytest.mark.parametrize("name", STATES)
def test_each_state_arrives_on_the_open_page_and_fits_every_screen(
    site: Site, page: Page, name: str
) -> None:
    show(site, page, STATES[name])
    page.until("return document.querySelector('html.live')")
    for look, size in LOOKS.items():
        page.wide(**size)  # type: ignore[arg-type]
        page.photograph(PICTURES / f"{name}-{look}.png")
        wide, room = page.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= room
    assert page.run("return document.title") == f"{STATES[name].decision} · shop"


@pytest.mark.parametrize(
    "name", ["nothing-yet", "held-by-missing-data", "source-unreachable", "state-lost"]
)
def test_nothing_is_green_where_nothing_is_known(site: Site, page: Page, name: str) -> None:
    show(site, page, STATES[name])
    words = page.run(
        "return [...document.querySelectorAll('.state.passed')].map(e => e.textContent)"
    )
    # The chain of the ledger was checked, and one instance does report.
    assert set(words) <= {"Holds", "follows"}


def test_only_what_changed_is_swapped_and_the_reader_is_not_disturbed(
    site: Site, page: Page
) -> None:
    show(site, page, ACCUMULATING)
    page.run("document.querySelector('#curve-table summary').focus()")
    page.key(Keys.ENTER)
    page.run("document.querySelectorAll('main > section').forEach(part => part.old = true)")
    show(site, page, FAILED)
    old = page.run(
        "return [...document.querySelectorAll('main > section')].filter(p => p.old).map(p => p.id)"
    )
    assert set(ORDER) - set(old) == {"next", "gates"}
    later = replace(FAILED, picture=replace(FAILED.picture, curve=FAILED.picture.curve[:-1]))
    page.run("document.querySelector('#curve').old = true")
    site.show(later)
    page.until("return !document.querySelector('#curve').old")
    assert page.run("return document.querySelector('#curve-table').open")
    assert page.run("return document.activeElement.textContent") == "The curve as a table"


def test_changes_are_read_out_politely_and_counting_is_not(site: Site, page: Page) -> None:
    show(site, page, ACCUMULATING)
    live = "return [...document.querySelectorAll('[aria-live]')].map(e => [e.ariaLive, e.textContent])"
    assert page.run(live)[0][0] == "polite"
    assert page.run(live)[0][1].startswith("ACCUMULATING before auther.")
    page.run("document.querySelector('#said').old = true")
    row = replace(ACCUMULATING.picture.gates[0], label="ACCUMULATING 6/12")
    more = replace(ACCUMULATING.picture, gates=(row, *ACCUMULATING.picture.gates[1:]))
    site.show(replace(ACCUMULATING, picture=more))
    page.until("return document.querySelector('#gates').textContent.includes('6/12')")
    assert page.run("return document.querySelector('#said').old")
    assert len(page.run(live)) == 1


def test_the_keyboard_reaches_everything_and_shows_where_it_is(site: Site, page: Page) -> None:
    show(site, page, ACCUMULATING)
    page.run("document.activeElement.blur(); scrollTo(0, 0)")
    found = []
    for _ in range(page.run(REACHABLE)):
        page.key(Keys.TAB)
        found.append(page.run(HERE))
    assert "Skip to the verdict" in found[0][0]
    assert len({html for html, _ in found}) == page.run(REACHABLE)
    assert [html for html, is_visible in found if not is_visible] == []


def test_a_screen_reader_finds_names_landmarks_tables_and_the_chart_in_words(
    site: Site, page: Page
) -> None:
    show(site, page, ACCUMULATING)
    nodes = [
        node
        for node in page.devtools("Accessibility.getFullAXTree")["nodes"]
        if not node["ignored"]
    ]
    roles = [value(node, "role") for node in nodes]
    assert {"banner", "main", "navigation", "contentinfo"} <= set(roles)
    assert roles.count("image") == 1
    nameless = [
        node for node in nodes if value(node, "role") in UNNAMED and not value(node, "name")
    ]
    assert nameless == []
    (image,) = [node for node in nodes if value(node, "role") == "image"]
    assert "Forecast: P50 2026-11-28" in value(image, "description")
    assert {"Gates before auther", "What is not known", "Ledger"} <= {
        value(node, "name") for node in nodes if value(node, "role") == "heading"
    }
    page.wide(**LOOKS["phone"])  # type: ignore[arg-type]
    narrow = page.devtools("Accessibility.getFullAXTree")["nodes"]
    rows = [node for node in narrow if value(node, "role") == "row"]
    assert len(rows) >= len(ACCUMULATING.picture.gates)


def value(node: dict[str, Any], key: str) -> str:
    return str(node.get(key, {}).get("value", ""))


def test_nothing_moves_for_those_who_asked_for_that(site: Site, page: Page) -> None:
    show(site, page, ACCUMULATING)
    page.until("return document.querySelector('html.live')")
    moving = "return getComputedStyle(document.querySelector('.pulse')).animationName"
    assert page.run(moving) == "breathe"
    page.wide(1280, 900, reduced=True)
    assert page.run(moving) == "none"


def test_ink_and_paper_differ_enough_in_both_schemes(site: Site, page: Page) -> None:
    show(site, page, HELD)
    for dark in (False, True):
        page.wide(1280, 900, dark=dark)
        assert page.run(FAINT) == []


# Texts whose contrast with what is behind them is less than 4.5 to 1 (WCAG 2.2, AA).
FAINT = """
const light = (text) => {
  const parts = text.match(/[\\d.]+/g).slice(0, 3).map((n) => {
    const c = n / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const behind = (one) => {
  for (let at = one; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (colour !== 'rgba(0, 0, 0, 0)') return colour;
  }
  return 'rgb(255, 255, 255)';
};
const faint = new Set();
for (const one of document.querySelectorAll('body *')) {
  const own = [...one.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || one.closest('svg, .out, .skip')) continue;
  const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) faint.add(one.className + ' ' + one.textContent.slice(0, 30));
}
return [...faint];
"""


def test_a_page_that_hears_nothing_any_more_says_so_and_loses_its_colours(browser: Page) -> None:
    with running_site(PASSED) as short_lived:
        browser.open(f"{short_lived.address}/")
        browser.until("return document.querySelector('html.live')")
    browser.until("return document.querySelector('html.cut')")
    assert "nothing here is known to be true now" in browser.text
    assert (
        browser.run("return getComputedStyle(document.querySelector('main')).filter")
        == "grayscale(1)"
    )
    browser.photograph(PICTURES / "connection-lost-desktop-light.png")


def test_without_a_script_the_page_says_all_the_same(site: Site, browser: Page) -> None:
    site.show(LOST)
    browser.devtools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(f"{site.address}/")
        assert "UNKNOWN" in browser.text
        assert "Reload to look again" in browser.text
    finally:
        browser.devtools("Emulation.setScriptExecutionDisabled", value=False)


def test_the_saved_report_opens_from_a_file_and_loads_nothing(
    browser: Page, tmp_path: Path
) -> None:
    browser.said("performance")
    browser.said("browser")
    file = tmp_path / "report.html"
    file.write_text(report(replace(PASSED, evidence=EVIDENCE), REQUEST), encoding="utf-8")
    for look, size in LOOKS.items():
        browser.wide(**size)  # type: ignore[arg-type]
        browser.open(file.as_uri())
        browser.photograph(PICTURES / f"report-{look}.png")
        wide, room = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= room
    assert "move the stage to auther" in browser.text
    assert browser.said("browser") == []
    assert strangers(browser, "file://") == []
