"""The tests that each target's application goes through; a target says only what is its own.

    pytestmark = pytest.mark.xdist_group("NAME")

    class TestName(Whole):                  # or Core, where the whole suite is a long test
        part = "name"
        profile = …                         # the rest of [verify]: its pages and forms
        callback_path = CALLBACK_PATH
        prepare = staticmethod(prepare)     # of tests.parts
        gaps = known_gaps(Path(__file__).with_name("gaps.txt"))

The file names the cases that the target does not pass yet. It is strict: a gap that passes fails.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

import pytest

from migrator.conformance.case import Case, Result
from migrator.conformance.registry import CASES
from tests.parts import require
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT, Deployment, check

if TYPE_CHECKING:
    from tests.parts.postgres import PostgresServer
    from tests.parts.stage_file import StageFile

Results = dict[str, Result]
Verify = Callable[[Sequence[Case]], Results]
CORE = (
    "dual/header-expired-never-falls-through",
    "auther/session-ended-on-a-page",
    "tokens/alg-none",
    "tokens/aud-of-another-client",
    "conflicts/the-post-ends-both",
    "login/ends-another-session",
    "login/state-of-another-browser",
    "exchange/a-session-becomes-authers",
    "renewal/identity-swap",
    "key-set/a-flood-of-random-kids",
    "doors/form-closed-in-drain",
    "doors/moved-at-the-form",
)


class App(Protocol):
    """An application with the generated shim in it."""

    stage: StageFile

    @property
    def base_url(self) -> str: ...

    def start(self) -> object: ...

    def remove(self) -> None: ...


AppT = TypeVar("AppT", bound=App)


def prepared(prepare: Callable[..., AppT], dsn: str, deployment: Deployment) -> AppT:
    """Make an application with everything switched on that the suite can look at; it is not started."""
    return prepare(
        dsn,
        deployment.issuer,
        settings=deployment.settings(stage_public_key="", redirect_uri=""),
        pepper=oracle()[BOB]["pepper"],
        extra=ENVIRONMENT,
    )


class Target:
    """An application that nobody else uses."""

    part: ClassVar[str] = ""
    profile: ClassVar[str]
    callback_path: ClassVar[str]
    prepare: ClassVar[Callable[..., App]]
    gaps: ClassVar[Collection[str]] = frozenset()

    @classmethod
    def app(cls, dsn: str, deployment: Deployment) -> App:
        """Make the application; it is not started."""
        return prepared(cls.prepare, dsn, deployment)

    @pytest.fixture(scope="class")
    @classmethod
    def verify(
        cls,
        postgres: PostgresServer,
        devise_template: str,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Iterator[Verify]:
        """Run cases on the running application."""
        if cls.part:
            require(cls.part)
        with postgres.temporary_database(template=devise_template) as dsn:
            deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, cls.profile)
            app = cls.app(dsn, deployment)
            try:
                app.start()
                redirect_uri = f"{app.base_url}{cls.callback_path}"
                yield lambda cases: deployment.verify(
                    app.base_url, stage=app.stage, redirect_uri=redirect_uri, cases=cases
                )
            finally:
                app.remove()


class Whole(Target):
    """All cases, each a test of its own."""

    @pytest.fixture(scope="class")
    @classmethod
    def results(cls, verify: Verify) -> Results:
        """Each case's result."""
        return verify(CASES)

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
    def test_case(self, results: Results, case: Case) -> None:
        check(results[case.title], gaps=self.gaps)


class AllAtOnce(Target):
    """All cases in one long test."""

    # Four minutes on cores that others use too.
    @pytest.mark.long
    @pytest.mark.timeout(1800)
    def test_all_cases(self, verify: Verify) -> None:
        for result in verify(CASES).values():
            check(result, gaps=self.gaps)


class Core(AllAtOnce):
    """A core of the cases, and all of them in the long tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def core(cls, verify: Verify) -> Results:
        """The core's results."""
        return verify([case for case in CASES if case.title in CORE])

    @pytest.mark.parametrize("title", CORE)
    def test_core(self, core: Results, title: str) -> None:
        check(core[title])
