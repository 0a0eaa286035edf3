"""Runs the story and says at its end what was simulated."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

from tests.demo.story import Story
from tests.demo.workspace import WORKSPACE, UnexpectedError

SIMULATED = """
Simulated: the application (a Starlette program with Rails' session table and Devise's hashes
instead of Rails), its 10,000 users (who share 40 passwords, hashed at cost 4), the people who
click, and the weeks in which sessions expire. Waiting times of gates are seconds here, days in
a real migration. Real: PostgreSQL, {issuer},
the generated shim under uvicorn, every command, every row, every verdict.
"""


def main() -> int:
    """Run all chapters; 1 when one did not go as it should."""
    began = time.monotonic()
    with ExitStack() as stack:
        story = Story(stack)
        try:
            for chapter in (
                story.legacy_application,
                story.preflight,
                story.import_users,
                story.dual_path,
                story.drain,
                story.remove,
                story.end,
            ):
                chapter()
        except UnexpectedError as error:
            print(
                f"\nThe demo stopped: {error}\nLook around in {WORKSPACE.name}/", file=sys.stderr
            )
            return 1
    print(SIMULATED.format(issuer=story.auther.name))
    print(
        f"Done in {time.monotonic() - began:.0f} s. Left for a look: {WORKSPACE.name}/ "
        "(migrator.toml, auther.db, shim/, plugin/, .migrator/remove/)."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
