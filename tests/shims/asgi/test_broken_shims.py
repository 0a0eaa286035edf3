"""Three shims that are broken on purpose: the suite finds each, by the names of the cases that fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.cli.verify import chosen
from migrator.conformance.cases import tokens
from migrator.conformance.interface import Failed
from tests.parts.asgi import CALLBACK_PATH, prepare
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.test_conformance import PROFILE
from tests.shims.conformance import Deployment
from tests.shims.conforming import prepared

Failing = Callable[[str, str, tuple[str, ...]], set[str]]
pytestmark = pytest.mark.xdist_group("conformance-asgi")
# Appended to a module of the generated package.
FALLS_THROUGH = """
_right = decide


def decide(session, finding, **facts):
    refused = finding.place == "header" and finding.kind in {Kind.STALE, Kind.FORGED, Kind.FOREIGN}
    return _right(session, ABSENT if refused else finding, **facts)
"""
AUDIENCE_UNCHECKED = """
TokenVerifier._is_for_us = lambda self, audience: True
"""
REFETCHED = """
async def _find(self, kid):
    await self._refresh()
    if kid not in self._keys:
        raise UnknownKeyError
    return self._keys[kid]


KeySet.known = lambda self, kid: None
KeySet.find = _find
"""
LOOKED_AT = ("dual", "tokens", "headers")
# Without the flood, each of whose thousand requests would cost a fetch.
REFETCHES = {"key-set/good-tokens-fetch-nothing", "key-set/unknown-kid-inside-the-cooldown"}
NEVER_FALL_THROUGH = {
    *(f"tokens/{name}" for name, *_ in tokens.REFUSED),
    "tokens/far-too-large",
    "dual/header-expired-never-falls-through",
    "dual/header-for-another-client-never-falls-through",
    "dual/header-forged-never-falls-through",
    "dual/header-opaque",
    "dual/header-of-another-issuer",
    "dual/a-header-hides-the-cookie",
    "headers/bearer-without-a-token",
    "headers/bearer-with-two-words",
    "headers/bearer-with-a-comma",
    "headers/two-authorization-headers",
}
AUDIENCES = {
    "dual/header-for-another-client-never-falls-through",
    "dual/cookie-for-another-client-is-as-absent",
    *(f"tokens/{name}" for name, *_ in tokens.REFUSED if name.startswith("aud-")),
}


@pytest.fixture
def failing(postgres: PostgresServer, devise_template: str, tmp_path: Path) -> Failing:
    """Break a module of the shim, run the cases, give the titles of those that fail."""

    def failing(module: str, code: str, patterns: tuple[str, ...]) -> set[str]:
        with postgres.temporary_database(template=devise_template) as dsn:
            deployment = Deployment(tmp_path, dsn, PROFILE)
            app = prepared(prepare, dsn, deployment)
            with (app.folder / "auther_dual_path" / f"{module}.py").open("a") as file:
                file.write(code)
            try:
                app.start()
                results = deployment.verify(
                    app.base_url,
                    stage=app.stage,
                    redirect_uri=app.base_url + CALLBACK_PATH,
                    cases=chosen(patterns),
                )
            finally:
                app.remove()
        return {title for title, one in results.items() if isinstance(one.outcome, Failed)}

    return failing


@pytest.mark.parametrize(
    ("module", "code", "patterns", "wanted"),
    [
        pytest.param("decision", FALLS_THROUGH, LOOKED_AT, NEVER_FALL_THROUGH, id="falls through"),
        pytest.param("tokens", AUDIENCE_UNCHECKED, LOOKED_AT, AUDIENCES, id="audience unchecked"),
        pytest.param("keys", REFETCHED, ("headers", *REFETCHES), REFETCHES, id="refetched"),
    ],
)
def test_a_broken_shim_is_caught_by_name(
    failing: Failing, module: str, code: str, patterns: tuple[str, ...], wanted: set[str]
) -> None:
    assert failing(module, code, patterns) == wanted
