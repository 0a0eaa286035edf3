"""What cases may need, what can come of them, and what sets their scene."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from migrator.core.stage import Stage

if TYPE_CHECKING:
    from datetime import datetime


class Need(Enum):
    """What a case cannot do without; the value says what to add when it is missing."""

    TEST_ISSUER = (
        "only the suite's own issuer gives such tokens and key sets; run it without --auther"
    )
    CONTROL = "no control secret: set [drain] control_secret"
    FORM = "the profile has no [verify.form], the legacy login form"
    REMEMBER_ME = "the profile's [verify.form] names no remember_me"
    LOGOUT = "the profile has no [verify.logout]"
    JSON_LOGIN = "the profile has no [verify.json_login]"
    POST = "the profile has no [verify.post], a POST that CSRF protection guards"
    BUTTON = "the profile has no [verify.button]"
    COHORT = "the profile's [verify.button] has no cohort and cohort_page"
    FOREIGN_PATH = "the profile names no foreign_whoami below [shim] foreign_paths"
    FOREIGN_REFUSED = "[shim] foreign_paths covers whoami"
    JIT = "[shim] create_users is off"
    EXCHANGE = "the profile says exchange = false"
    NO_EXCHANGE_IN_DUAL = "[shim] exchange_in_dual is on"
    MOVED_LOGINS = "the profile says moved_logins = false"
    ENDS_AUTHER = "the profile says ends_auther_session = false"
    JSON_DOORS_CLOSED = "[shim] json_doors_until lies in the future"


@dataclass(frozen=True)
class At:
    """A position of the switch."""

    stage: Stage
    percent: float = 0.0
    legacy_accept_until: str | None = None
    stop_accepting: bool = False
    cohorts: tuple[str, ...] = ()

    @property
    def issues_legacy(self) -> bool:
        """Tell whether the legacy form still signs people in."""
        return self.stage in {Stage.LEGACY, Stage.DUAL}


DUAL = At(Stage.DUAL)
LEGACY = At(Stage.LEGACY)
DRAIN = At(Stage.DRAIN, 100.0, "2099-01-01T00:00:00.000000Z")
AFTER_DEADLINE = At(Stage.DRAIN, 100.0, "2020-01-01T00:00:00.000000Z")
AUTHER = At(Stage.AUTHER, 100.0, "2020-01-01T00:00:00.000000Z")
STOPPED = At(Stage.LEGACY, stop_accepting=True)
ALL_BROWSERS = At(Stage.DUAL, 100.0)


@dataclass(frozen=True)
class Passed:
    """The application does as the rule says."""


@dataclass(frozen=True)
class Failed:
    """It does not. What was sent, what was expected and what came back, each in words."""

    sent: str
    expected: str
    came_back: str


@dataclass(frozen=True)
class NotRun:
    """Nothing is known: the case could not be run."""

    reason: str


Outcome: TypeAlias = Passed | Failed | NotRun


class MismatchError(Exception):
    """The application answered otherwise than the rule says."""

    def __init__(self, expected: str, *, sent: str, came_back: str) -> None:
        super().__init__(expected)
        self.failed = Failed(sent, expected, came_back)


class CannotRunError(Exception):
    """The scene of a case cannot be set; its text is the reason."""


@dataclass(frozen=True)
class Person:
    """A canary: an account of the application that was made for this."""

    name: str
    user_pk: str
    auther_id: str
    email: str
    password: str

    def __repr__(self) -> str:
        return f"Person({self.name!r})"


class Scene(Protocol):
    """What surrounds the application: the published stage, and the canaries' rows."""

    def publish(self, at: At) -> int:
        """Publish a stage document; gives its epoch."""
        ...

    def spoilt_documents(self) -> dict[str, str]:
        """Give documents by name that say stage `auther`, each with one thing wrong."""
        ...

    def put(self, text: str) -> None:
        """Put any text where the document stands."""
        ...

    def restore(self) -> None:
        """Give all canaries their identity rows as they were."""
        ...

    def change(
        self,
        person: Person,
        *,
        home: str | None = None,
        pinned_reason: str | None = None,
        auth_valid_after: datetime | None = None,
    ) -> None:
        """Change a canary's identity row until `restore`; None leaves a column as it is."""
        ...

    def home(self, person: Person) -> str:
        """Give where a canary's home is now."""
        ...

    def users_of(self, auther_id: str) -> tuple[str, ...]:
        """Give the users that an Auther id is linked to; those that appeared go with `restore`."""
        ...

    def bury(self, auther_id: str) -> None:
        """Note that an Auther id was deleted at Auther, until `restore`."""
        ...
