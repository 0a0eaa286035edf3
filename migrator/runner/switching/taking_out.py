"""The diff that takes a generated shim out of an application again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.application.files import FOREIGN, SourceFiles
from migrator.core.errors import UsageError
from migrator.runner.switching.generating import MANIFEST, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Use:
    """A line of the application's own that names the shim and has to be changed by hand."""

    path: str
    line: int
    text: str


@dataclass(frozen=True)
class TakingOut:
    """What takes a shim out.

    Attributes:
        target: What it was generated for.
        diff: For `git apply`: each generated file that is there goes, with whatever the team made of
            it since.
        edited: Those among them that the team changed.
        uses: Where the rest of the application names it.
    """

    target: str
    diff: str
    edited: tuple[str, ...]
    uses: tuple[Use, ...]


def take_out(folder: Path, names: Sequence[str]) -> TakingOut:
    """Say how a shim goes; changes nothing.

    Args:
        folder: Where it was generated into.
        names: What the application calls of it, by the target.

    Raises:
        UsageError: No shim was generated there.
    """
    manifest = written(folder)
    if manifest is None:
        raise UsageError(
            f"{folder} holds no generated shim: there is no {MANIFEST}",
            hint="give the folder that `migrator dual-path generate --out` named",
        )
    there = [path for path in manifest.hashes if (folder / path).is_file()]
    paths = sorted((*there, MANIFEST))
    edited = tuple(path for path in there if not manifest.is_as_written(folder, path))
    diff = "".join(_deletion(path, (folder / path).read_text(encoding="utf-8")) for path in paths)
    return TakingOut(manifest.target, diff, edited, tuple(_uses(folder, set(paths), names)))


def _deletion(path: str, text: str) -> str:
    lines = text.split("\n")
    whole = lines[-1] == ""
    lines = lines[:-1] if whole else lines
    head = f"diff --git a/{path} b/{path}\ndeleted file mode 100644\n"
    if not lines:
        return head
    body = "".join(f"-{line}\n" for line in lines)
    end = "" if whole else "\\ No newline at end of file\n"
    return f"{head}--- a/{path}\n+++ /dev/null\n@@ -1,{len(lines)} +0,0 @@\n{body}{end}"


def _uses(folder: Path, generated: set[str], names: Sequence[str]) -> Iterator[Use]:
    # Tests and migrations that name the shim have to be changed too.
    for name, content in SourceFiles(folder, left_out=FOREIGN):
        if name in generated:
            continue
        with suppress(UnicodeDecodeError):
            for number, line in enumerate(content.decode().splitlines(), 1):
                if any(word in line for word in names):
                    yield Use(name, number, line.strip()[:120])
