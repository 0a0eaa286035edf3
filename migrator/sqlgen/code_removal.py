"""What the application's code gives up, and in which order with the database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

from migrator.application.interface import Sign

if TYPE_CHECKING:
    from migrator.application.interface import ApplicationFindings, Place
    from migrator.sqlgen.removal import Removal
    from migrator.sqlgen.usual.interface import Code

FOLDER = "code"
IGNORING_DIFF = f"{FOLDER}/1_ignored_columns.diff"
TAKE_OUT_DIFF = f"{FOLDER}/3_take_out_the_shim.diff"
_NAMED = "ignored_columns"


@dataclass(frozen=True)
class ApplicationCode:
    """An application that was read.

    Attributes:
        findings: None where its framework cannot be read.
        model: Path and text of the file with the users' class; None where it was not found.
        shim_diff: What takes the generated shim out; '' where none was generated there.
        shim_uses: Where the rest of the code names the shim.
    """

    findings: ApplicationFindings | None = None
    model: tuple[str, str] | None = None
    shim_diff: str = ""
    shim_uses: tuple[str, ...] = ()


@dataclass(frozen=True)
class CodeRemoval:
    """All that is known of the code.

    Attributes:
        model: The users' class, e.g. `User`.
        application: None where no application was given.
        still_legacy: Instances whose build says that it still knows legacy credentials.
    """

    model: str
    code: Code | None
    application: ApplicationCode | None = None
    still_legacy: tuple[str, ...] = ()

    def places(self, removal: Removal) -> tuple[Place, ...]:
        """Give the lines of the application that name a column that goes."""
        if self.application is None or self.application.findings is None:
            return ()
        found = self.application.findings.places(Sign.LEGACY_COLUMNS)
        return tuple(place for place in found if place.what in removal.names)

    def diffs(self, removal: Removal) -> dict[str, str]:
        """Give the diffs for `git apply` by path, as far as they can be made."""
        if self.application is None:
            return {}
        made = {TAKE_OUT_DIFF: self.application.shim_diff}
        if self.application.model is not None:
            path, text = self.application.model
            made[IGNORING_DIFF] = ignoring(path, text, model=self.model, columns=removal.names)
        return {path: diff for path, diff in made.items() if diff}

    def notes(self, removal: Removal) -> tuple[str, ...]:
        """Give what of the code, and of what runs, is not as it has to be before the quarantine."""
        if not self.still_legacy:
            return self.open_points(removal)
        names = ", ".join(self.still_legacy)
        builds = (
            f"code: {names} run a build that knows legacy credentials; "
            f"the stage closes them, the build after it should not have them: {FOLDER}/README.md"
        )
        return (builds, *self.open_points(removal))

    def open_points(self, removal: Removal) -> tuple[str, ...]:
        """Give what of the code that was read is not as it has to be before the quarantine."""
        found = []
        if places := self.places(removal):
            found.append(
                f"code: {len(places)} lines name what goes: {FOLDER}/README.md lists them"
            )
        if removal.columns and self._ignores_nothing():
            found.append(
                f"code: {self.model} names no {_NAMED}: a deployed build that has loaded the columns "
                "fails when they are renamed"
            )
        return tuple(found)

    def _ignores_nothing(self) -> bool:
        found = self.application.findings if self.application else None
        return found is not None and self.model not in found.ignores_columns


def ignoring(path: str, text: str, *, model: str, columns: tuple[str, ...]) -> str:
    """Give the diff that lets a Rails model leave columns alone, '' where a person has to write it.

    Args:
        path: Of the file, as in the diff.
        text: The file.
        model: The class's name.
        columns: Those that go.
    """
    opening = re.search(rf"^( *)class {re.escape(model)}\b.*\n", text, re.MULTILINE)
    if opening is None or _NAMED in text or not columns:
        return ""
    indent = opening[1] + "  "
    listed = "".join(f'{indent}  "{name}",\n' for name in columns)
    line = f"{indent}self.{_NAMED} += [\n{listed}{indent}]\n\n"
    changed = text[: opening.end()] + line + text[opening.end() :]
    lines = unified_diff(
        text.splitlines(keepends=True),
        changed.splitlines(keepends=True),
        f"a/{path}",
        f"b/{path}",
    )
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
        for line in lines
    )
