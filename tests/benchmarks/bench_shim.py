"""What a shim costs a request: `python -m tests.benchmarks.bench_shim --target asgi`.

Each target's own program measures in process, in its own language, against the library that the shim verifies
with; `shims/paired.py` says what it prints. Ceilings: a token's first sight adds at most a tenth of a verification,
a token seen before costs at most a tenth of one, a request with a legacy session alone less than 100 us (the whole
95 % interval), and memory stays flat over three times the cache's size in distinct tokens.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.core.stage import Stage
from migrator.shims.interface import ShimSettings
from migrator.shims.targets import TARGETS
from tests.benchmarks.shims import paired
from tests.parts.go import go_environment
from tests.parts.program import write_files
from tests.parts.stage_file import StageFile
from tests.setup.paths import EXPRESS_APP, use_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.benchmarks.shims.paired import Measured, Median

TIMEOUT_S = 600
PROGRAMS = Path(__file__).parent / "shims"
MAX_ADDED_PERCENT = 10
MAX_LEGACY_US = 100
# Allocators give pages back late: what grows by more than this from one cache's size to the third has no bound.
MAX_GROWTH_PERCENT = 5


@dataclass(frozen=True)
class Program:
    """How a target measures itself.

    Attributes:
        command: Run in the folder with the generated files; prints the JSON.
        environment: Beside the inherited one and the shim's own; `{folder}` is that folder.
        copied: Files that go into the folder, for languages that look beside a program for what it needs.
        linked: Folders likewise.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    copied: tuple[Path, ...] = ()
    linked: tuple[Path, ...] = ()


PROGRAM_OF = {
    "asgi": Program(
        (sys.executable, str(PROGRAMS / "asgi_program.py")), {"PYTHONPATH": "{folder}"}
    ),
    "django": Program(
        (sys.executable, str(PROGRAMS / "django_program.py")), {"PYTHONPATH": "{folder}"}
    ),
    "express": Program(
        ("node", "--expose-gc", "express_program.mjs"),
        copied=(PROGRAMS / "express_program.mjs", EXPRESS_APP / "package.json"),
        linked=(EXPRESS_APP / "node_modules",),
    ),
    "laravel": Program(
        (
            "php",
            *("-d", "error_reporting=E_ALL & ~E_DEPRECATED", "-d", "apc.enable_cli=1"),
            str(PROGRAMS / "laravel_program.php"),
        )
    ),
    "rack": Program(("ruby", str(PROGRAMS / "rack_program.rb"))),
    "rails": Program(("ruby", str(PROGRAMS / "rails_program.rb"))),
    # Go looks for packages below `src`.
    "go": Program(
        (
            "sh",
            "-c",
            f"mkdir src && ln -s ../autherdualpath src/ && exec go run {PROGRAMS / 'go' / 'main.go'}",
        ),
        go_environment(Path("{folder}")),
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=sorted(PROGRAM_OF))
    only = parser.parse_known_args()[0].target
    use_parts()
    for name in [only] if only else PROGRAM_OF:
        with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
            print("\n".join(lines(name, measured(name, Path(folder)))), flush=True)


def measured(name: str, folder: Path) -> Measured:
    """Generate a shim and let it measure itself."""
    stage = StageFile(folder / "stage.json")
    stage.set(Stage.DUAL)
    write_files(folder, TARGETS[name].files(_settings(stage)))
    program = PROGRAM_OF[name]
    for path in program.copied:
        shutil.copy(path, folder)
    for path in program.linked:
        (folder / path.name).symlink_to(path)
    added = {key: value.format(folder=folder) for key, value in program.environment.items()}
    added |= {"MIGRATOR_STAGE_FILE": str(stage.path), "MIGRATOR_COOKIE_SECRET": "b" * 32}
    ran = subprocess.run(
        program.command,
        cwd=folder,
        env=os.environ | added,
        stdout=subprocess.PIPE,
        timeout=TIMEOUT_S,
        check=True,
    )
    return paired.read(ran.stdout.decode())


def lines(name: str, found: Measured) -> list[str]:
    """Say what was measured, and whether it holds."""
    fresh, cached = (part.relative_to(found.bare.us) for part in (found.fresh, found.cached))
    first, *_, last = found.memory_kib
    growth = (last / first - 1) * 100
    memory = ", ".join(f"{kib / 1024:.1f}" for kib in found.memory_kib)
    rows = (
        ("first sight", f"{_us(found.fresh)} = {_percent(fresh)}", fresh.us <= MAX_ADDED_PERCENT),
        (
            "seen before",
            f"{_us(found.cached)} = {_percent(cached)}",
            cached.us <= MAX_ADDED_PERCENT,
        ),
        ("legacy only", _us(found.legacy), found.legacy.high_us < MAX_LEGACY_US),
        ("memory", f"{memory} MB, {growth:+.1f} %", growth <= MAX_GROWTH_PERCENT),
    )
    head = f"{name}: {found.library} verifies in {found.bare.us:.1f} us, the lookup with it"
    said = [head, *(f"  {what} {said}  {_verdict(holds)}" for what, said, holds in rows)]
    return said + _lines_alone(found)


def _lines_alone(found: Measured) -> list[str]:
    """Say what it adds where each request begins with nothing, by the same ceilings."""
    if not found.alone:
        return []
    lines = [f"  alone: a package that does nothing takes {found.nothing_us:.0f} us"]
    for kind, alone in found.alone.items():
        percent = alone.added.us / found.bare.us * 100
        holds = (
            alone.added.high_us < MAX_LEGACY_US
            if kind == "legacy"
            else percent <= MAX_ADDED_PERCENT
        )
        shares = ", ".join(f"{name} {us:.0f}" for name, us in alone.shares_us.items())
        lines.append(f"  alone, {kind:6} {_us(alone.added)}: {shares}  {_verdict(holds)}")
    return lines


def _settings(stage: StageFile) -> ShimSettings:
    return ShimSettings(
        issuers=("https://id.example.org",),
        audiences=("club",),
        jwks_url="https://id.example.org/api/auth/jwks",
        client_id="club",
        authorize_url="https://id.example.org/api/auth/oauth2/authorize",
        token_url="https://id.example.org/api/auth/oauth2/token",
        redirect_uri="https://club.example.org/auth/callback",
        namespace="club",
        stage_public_key=stage.public_key,
    )


def _us(median: Median) -> str:
    return f"{median.us:+7.1f} us (95 %: {median.low_us:+.1f} to {median.high_us:+.1f})"


def _percent(median: Median) -> str:
    return f"{median.us:+.1f} % of it ({median.low_us:+.1f} to {median.high_us:+.1f})"


def _verdict(holds: bool) -> str:
    return "holds" if holds else "DOES NOT HOLD"


if __name__ == "__main__":
    main()
