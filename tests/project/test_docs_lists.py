"""README lists what there is: sources, ways into Auther and back, password schemes, as the registries have them."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from migrator.auther.ways.targets import KINDS
from migrator.legacy.sources import SOURCES
from migrator.legacy.writable.registry import WRITABLE
from migrator.runner.gating.looking import COUNTERS
from migrator.schemes import registry
from migrator.sessions.registry import STORES

README = Path(__file__).parents[2] / "README.md"


def _two_columns(rows: dict[str, str]) -> str:
    return "".join(["| kind | |\n|---|---|\n", *(f"| `{k}` | {v} |\n" for k, v in rows.items())])


def _described(kind: str) -> str:
    """What the class that opens this way says of itself."""
    opener = KINDS[kind]
    assert inspect.ismethod(opener)
    said = inspect.getdoc(opener.__self__)
    assert said is not None
    return said.splitlines()[0]


LISTS = {
    "sources": _two_columns({kind: source.reads for kind, source in SOURCES.items()}),
    "written back": _two_columns({kind: table.writes for kind, table in WRITABLE.items()}),
    "session stores": _two_columns({name: store.reads for name, store in STORES.items()}),
    "ways in": _two_columns({kind: _described(kind) for kind in KINDS}),
    "counters": _two_columns({kind: str(inspect.getdoc(made)) for kind, made in COUNTERS.items()}),
    "schemes": registry.table(),
}


@pytest.mark.parametrize("name", LISTS)
def test_readme_lists_what_there_is(name: str) -> None:
    _, begins, rest = README.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    listed, ends, _ = rest.partition("<!-- end -->")
    assert begins
    assert ends
    wanted = f"\n{LISTS[name]}\n"
    assert listed == wanted, f"put this between <!-- {name} --> and <!-- end -->:\n{wanted}"
