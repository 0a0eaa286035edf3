"""A folder with a copy of the package in which mutmut works, and what came out of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.mutants.survivors import Change
from tests.setup.paths import PARTS, ROOT, VENV

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = PARTS / "mutants"
_MUTMUT = VENV / "bin" / "mutmut"
_RESULT = re.compile(r"\s+(?P<name>\S+): (?P<status>.+)")
_CLASS = "ǁ"  # mutmut's name of a method is xǁClassǁmethod
# A mutant that never ends is noticed too.
_KILLED = frozenset({"killed", "timeout"})
# No order and no values by chance: the same mutants die each time.
_PYPROJECT = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", "--hypothesis-profile=ci"]
pythonpath = ["."]

[tool.mutmut]
source_paths = ["migrator"]
only_mutate = {mutated}
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
"""


@dataclass(frozen=True)
class Package:
    """A pure package.

    Attributes:
        path: Where its modules are.
        tests: Files and folders with tests of it that need nothing but Python.
        data: What these tests read.
    """

    path: str
    tests: tuple[str, ...]
    data: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How many mutants there were, and those that no test noticed."""

    mutants: int
    survivors: tuple[Change, ...]


def mutate(package: Package) -> Outcome:
    """Run the tests against every mutant of a package: minutes, on one core."""
    _build(package)
    log = FOLDER / "mutmut.log"
    with log.open("w") as output:
        command = ["nice", "-n", "10", _MUTMUT, "run", "--max-children", "1"]
        done = subprocess.run(command, cwd=FOLDER, stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        raise SystemExit(f"mutmut failed; see {log.relative_to(ROOT)}")
    found = [
        match for line in _mutmut("results", "--all", "True") if (match := _RESULT.match(line))
    ]
    survivors = [match["name"] for match in found if match["status"] not in _KILLED]
    return Outcome(len(found), tuple(map(_change, survivors)))


def _build(package: Package) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    for path in ("migrator", "tests/__init__.py", *package.tests, *package.data):
        _copy(ROOT / path, FOLDER / path)
    mutated = [f"{package.path}/*"]
    settings = _PYPROJECT.format(mutated=mutated, tests=list(package.tests))
    (FOLDER / "pyproject.toml").write_text(settings)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


def _mutmut(*arguments: str) -> list[str]:
    return subprocess.run(
        [_MUTMUT, *arguments],
        cwd=FOLDER,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def _change(name: str) -> Change:
    return Change.of(function_of(name), _mutmut("show", name))


def function_of(name: str) -> str:
    """Give the dotted name of the function that a mutant is of."""
    module, _, mangled = name.partition("__mutmut_")[0].rpartition(".")
    if _CLASS in mangled:
        return ".".join([module, *mangled.split(_CLASS)[1:]])
    return f"{module}.{mangled.removeprefix('x_')}"
