"""What an instance without a legacy side says about itself, so that the removal of the tables may go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

# Beside the application with a legacy side, on the same database.
ALONE = {"MIGRATOR_INSTANCE": "alone-1"}


class Reporting(Protocol):
    """A running application and its database."""

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement on the application's database."""
        ...

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""
        ...


def check_that_it_reports_no_legacy_side(club: Reporting) -> None:
    """Wait until an instance that was started as `ALONE` has told what it is."""
    query = (
        "SELECT build, baked, stage, epoch, source, legacy_capable, seen_at > now() - interval '15 s' "
        "FROM migrator_instance WHERE instance = %s"
    )
    said = ("test-build", "auther", "auther", 0, "baked", False, True)
    club.wait_for(lambda: club.sql(query, *ALONE.values()) == [said])
