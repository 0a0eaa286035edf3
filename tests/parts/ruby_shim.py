"""What the applications in Ruby share: their shims read the stage ten times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parts.program import edited

if TYPE_CHECKING:
    from collections.abc import Mapping

# Tests cannot wait two seconds for each move of the switch.
READ_EVERY_S = 0.1
_QUICK = {"READ_EVERY_S = 2\n": f"READ_EVERY_S = {READ_EVERY_S}\n"}
_READER = "lib/auther_cutover/stage_reader.rb"


def quick(files: Mapping[str, str], *, legacy: bool) -> dict[str, str]:
    """Let generated files read the stage more often; those without a legacy side read none.

    Raises:
        ValueError: The generated code says it otherwise by now.
    """
    if not legacy:
        return dict(files)
    return {**files, _READER: edited(files[_READER], _QUICK)}
