"""`make lock`: pins the packages that pyproject.toml names, with versions and checksums, without addresses."""

from pathlib import Path

from tests.setup.mutmut import MUTMUT_LOCK
from tests.setup.node import NODE_LOCK
from tests.setup.paths import ROOT, VENV
from tests.setup.steps import run, say
from tests.setup.venv import LOCK, PIP, PROJECT

HEADER = (
    "# Written by `make lock`: every package with its version and checksums, for all platforms.\n"
)
OPTIONS = [
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-annotate",
    "--no-header",
]


def main() -> None:
    """Resolve again; versions in a file that is there stay as long as they fit."""
    run([*PIP, "uv>=0.13"])
    _compile(LOCK, source=[PROJECT, "--group", f"{PROJECT}:dev"])
    _compile(NODE_LOCK, source=["--group", f"{PROJECT}:node"])
    # Beside the others in .venv, so of the same versions.
    _compile(MUTMUT_LOCK, source=["--group", f"{PROJECT}:mutants", "--constraint", LOCK])


def _compile(lock: Path, *, source: list[str | Path]) -> None:
    say(f"{lock.relative_to(ROOT)}")
    run([VENV / "bin" / "uv", "pip", "compile", "--quiet", "-o", lock, *source, *OPTIONS])
    lock.write_text(HEADER + lock.read_text())


main()
