"""What can become of a change that somebody made at Auther. Closed lists."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What changed."""

    PASSWORD = "password"  # noqa: S105
    EMAIL = "email"
    BAN = "ban"
    UNBAN = "unban"
    DELETE = "delete"
    SIGN_UP = "sign_up"
    REVOKE = "revoke"


class State(StrEnum):
    """Whether anything is left to do.

    Attributes:
        DONE: Nothing.
        HELD: It is tried again, by itself, until it works or Auther forgets it.
        LOST: It cannot be written any more; the user has to be told.
    """

    DONE = "done"
    HELD = "held"
    LOST = "lost"


class Outcome(StrEnum):
    """What became of one change."""

    WRITTEN = "written"
    SUPERSEDED = "superseded"
    PINNED = "pinned"
    LEGACY_KEPT = "legacy_kept"
    NOT_WANTED = "not_wanted"
    UNKNOWN_USER = "unknown_user"
    EMAIL_UNPROVEN = "email_unproven"

    CANNOT_OPEN = "cannot_open"
    ROW_BUSY = "row_busy"
    EMAIL_COLLISION = "email_collision"
    IDENTITY_UNLINKED = "identity_unlinked"
    COLUMN_NEEDS_VALUE = "column_needs_value"
    REFUSED_BY_DATABASE = "refused_by_database"
    WAITS_FOR_SIGN_UP = "waits_for_sign_up"

    SEALED_EXPIRED = "sealed_expired"
    SEALED_MISSING = "sealed_missing"
    NOT_A_HASH = "not_a_hash"
    NO_PASSWORD = "no_password"  # noqa: S105
    NO_EMAIL = "no_email"
    NO_COLUMN = "no_column"
    LEGACY_CHANGED = "legacy_changed"
    ROW_GONE = "row_gone"
    PRIVILEGED = "privileged"

    @property
    def state(self) -> State:
        """Tell whether anything is left to do."""
        if self in _DONE:
            return State.DONE
        return State.HELD if self in _HELD else State.LOST


_DONE = frozenset(
    {
        Outcome.WRITTEN,
        Outcome.SUPERSEDED,
        Outcome.PINNED,
        Outcome.LEGACY_KEPT,
        Outcome.NOT_WANTED,
        Outcome.UNKNOWN_USER,
        Outcome.EMAIL_UNPROVEN,
    }
)
_HELD = frozenset(
    {
        Outcome.CANNOT_OPEN,
        Outcome.ROW_BUSY,
        Outcome.EMAIL_COLLISION,
        Outcome.IDENTITY_UNLINKED,
        Outcome.COLUMN_NEEDS_VALUE,
        Outcome.REFUSED_BY_DATABASE,
        Outcome.WAITS_FOR_SIGN_UP,
    }
)
MEANING = {
    Outcome.CANNOT_OPEN: "the sealed password does not open with plugin.seal_key",
    Outcome.ROW_BUSY: "the application holds the row; tried again",
    Outcome.EMAIL_COLLISION: "another row has that address",
    Outcome.IDENTITY_UNLINKED: "a row has that address already and is nobody's at Auther",
    Outcome.COLUMN_NEEDS_VALUE: "can't be written back: a column needs a value",
    Outcome.REFUSED_BY_DATABASE: "the application's database refuses the row",
    Outcome.WAITS_FOR_SIGN_UP: "the new user has no row yet",
    Outcome.SEALED_EXPIRED: "the sealed password was not fetched within 24 h",
    Outcome.SEALED_MISSING: "the plugin sealed no password (MIGRATOR_WRITE_BACK, MIGRATOR_SEAL_KEY)",
    Outcome.NOT_A_HASH: "what was sealed is no whole value of a scheme that the application reads",
    Outcome.NO_PASSWORD: "signed up without a password",
    Outcome.NO_EMAIL: "the change names no address",
    Outcome.NO_COLUMN: "the users table has no column for it: still open in the application",
    Outcome.LEGACY_CHANGED: "the password was changed in the application too, and that one stays",
    Outcome.ROW_GONE: "the row in the application is gone",
    Outcome.PRIVILEGED: "staff and superusers are changed in the application only, by themselves",
}


class Verdict(NamedTuple):
    """What becomes of one change.

    Attributes:
        detail: Column names and the like; nothing of a person.
        pk: The legacy key, where only writing made it known.
        is_change: Whether the user did change something; a proof of the same address is none.
    """

    outcome: Outcome
    detail: str = ""
    pk: str | None = None
    is_change: bool = True


# A later change of the same concern makes an earlier one pointless.
CONCERNS = {
    Kind.PASSWORD: "password",
    Kind.SIGN_UP: "password",
    Kind.EMAIL: "email",
    Kind.BAN: "access",
    Kind.UNBAN: "access",
    Kind.DELETE: "access",
    Kind.REVOKE: "tokens",
}
ENDS_TOKENS = frozenset({Kind.PASSWORD, Kind.EMAIL, Kind.BAN, Kind.DELETE, Kind.REVOKE})
MOVES_HOME = frozenset({Kind.PASSWORD, Kind.EMAIL})


def said_of_lost(changes: int) -> str:
    """Say that Auther could not write changes down, so that nobody here knows whose they are."""
    return f"{changes} changes could not be written down at Auther since it was started; its log names them: EVENT LOST"
