"""What belongs to Hono alone, or what the conformance suite cannot see from outside."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.express import HONO, ExpressApp, prepare
from tests.parts.stage_file import shim_settings
from tests.shims.asgi.club import ALICE
from tests.shims.counting import check_that_failed_answers_are_counted
from tests.shims.cutting_over import Alone, Cutover
from tests.shims.express.club import Club
from tests.shims.reporting import ALONE

pytestmark = pytest.mark.xdist_group("hono")


@pytest.fixture
def club(hono_club: Club) -> Club:
    """The application, started once."""
    return hono_club


class TestHono(Cutover):
    api = "/api/v1/"


class TestAlone(Alone):
    people = "auther-cutover/people.js"


def test_permissions_come_from_the_token(hono_club: Club) -> None:
    hono_club.set_stage(Stage.DUAL)
    granted = {"permissions": {"document:7": ["edit"]}}
    asked = {"permission": "edit", "type": "document"}
    with hono_club.browser() as client:
        bearer = {"Authorization": f"Bearer {hono_club.token(ALICE, **granted)}"}
        for number, answer in (("7", "allowed"), ("8", "denied")):
            said = client.get("/permission", params=asked | {"id": number}, headers=bearer)
            assert said.json() == {"answer": answer}
        assert client.get("/permission", params=asked | {"id": "7"}).json() == {
            "answer": "unknown"
        }


@dataclass(kw_only=True)
class PlainApp(ExpressApp):
    """The application that only knows Auther."""

    def command(self) -> list[str]:
        """Give Node.js with it."""
        return ["node", "plain.js"]


@pytest.fixture(scope="module", params=["public.users", ""], ids=["users", "no-users"])
def plain(request: pytest.FixtureRequest, hono_club: Club) -> Iterator[Club]:
    """It, on the same users as the other one."""
    with Issuer() as issuer:
        settings = shim_settings(issuer, stage_public_key="", redirect_uri="")
        bare = replace(settings, legacy=False, users_table=request.param)
        app = PlainApp(
            **vars(prepare(hono_club.dsn, issuer, stack=HONO, settings=bare, extra=ALONE))
        )
        app.start()
        yield Club(app, issuer, hono_club.dsn)
        app.remove()


def test_answers_of_the_application_that_fail_are_counted(hono_club: Club) -> None:
    check_that_failed_answers_are_counted(hono_club.app, fails=["/broken"])
