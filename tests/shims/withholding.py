"""Whose live passwords an application keeps from Auther after a rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.stage import Stage
from tests.shims.asgi.club import sub_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.shims.asgi.club import Club as AsgiClub
    from tests.shims.express.club import Club

# Users of the dump whom nobody else signs in.
HELD, MOVED, AT_HOME = 10, 18, 26
MOVE = "UPDATE migrator_identity SET home = %s WHERE user_pk = %s"
CHECKED = "SELECT checks FROM migrator_shadow WHERE user_pk = %s"


def check_that_a_rollback_withholds_passwords(
    club: Club | AsgiClub, sign_in: Callable[[int], None]
) -> None:
    """Sign somebody in while Auther is held for compromised, and two people when it no longer is.

    Args:
        sign_in: Signs a user in with the password that is right here.
    """
    asked = club.issuer.plugin.from_now("verify")
    club.sql(MOVE, "auther", str(MOVED))

    def is_checked() -> bool:
        # On a busy machine a check beside a sign-in may be left out.
        sign_in(AT_HOME)
        return club.sql(CHECKED, str(AT_HOME)) != []

    try:
        club.set_stage(Stage.LEGACY, stop_accepting=True)
        sign_in(HELD)
        club.set_stage(Stage.LEGACY)
        sign_in(MOVED)
        club.wait_for(is_checked)
    finally:
        club.sql(MOVE, "legacy", str(MOVED))
    found = {body["id"] for body in asked()}
    assert found & {sub_of(HELD), sub_of(MOVED), sub_of(AT_HOME)} == {sub_of(AT_HOME)}, found
