"""The id_token as the options ask for it, signed so that the published keys verify it."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.auther.plugin.door import grant
from tests.auther.plugin.users import User, Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client, log_in, start

CLIENT = Client("app", ("https://app.example/callback",))
PASSWORD = "correct horse"
TUPLES = """CREATE TABLE access_tuples (id text PRIMARY KEY, entity_type text NOT NULL, entity_type_id text,
entity_id text NOT NULL, relation text NOT NULL, subject_type text NOT NULL, subject_id text NOT NULL,
subject_relation text, condition text, created_at integer NOT NULL, updated_at integer NOT NULL)"""
DAY_S = 24 * 3600


class Site:
    """Servers with different options, on one database each."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self._folder, self._running = folder, running
        self._servers: dict[str, tuple[BetterAuth, Users]] = {}

    def server(self, permissions: str = "", **options: Any) -> tuple[BetterAuth, Users]:
        """A server with these options, started once."""
        name = json.dumps([permissions, options])
        if name not in self._servers:
            path = self._folder / f"{len(self._servers)}.db"
            env = {"PLUGIN_OPTIONS": json.dumps(options), "PERMISSIONS": permissions}
            started = self._running.enter_context(start(path, env=env, clients=[CLIENT]))
            self._servers[name] = started, Users(path)
            self._servers[name][1].run(TUPLES)
        return self._servers[name]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    require("node")
    with ExitStack() as running:
        yield Site(tmp_path_factory.mktemp("id_token"), running)


def claims_of(auther: BetterAuth, users: Users, user: User | None = None) -> dict[str, Any]:
    """The claims of a new id_token, its signature verified with the published keys."""
    user = user or users.add(bcrypt_envelope(PASSWORD))
    tokens = log_in(auther, CLIENT, user.email, PASSWORD)
    keys = jwt.PyJWKSet.from_dict(auther.request("GET", "/api/auth/jwks").json())
    key = keys[jwt.get_unverified_header(tokens.id_token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        tokens.id_token, key, algorithms=["EdDSA"], audience="app", issuer=auther.base_url,
        options={"verify_iat": False},
    )  # fmt: skip
    assert (claims["sub"], claims["email"], claims["nonce"]) == (user.id, user.email, tokens.nonce)
    return claims


def test_without_options_it_is_better_auths_own(site: Site) -> None:
    claims = claims_of(*site.server())
    assert abs(claims["iat"] / 1000 - time.time()) < 60
    assert abs(claims["exp"] - time.time() - 2 * DAY_S) < 60
    assert "permissions" not in claims


def test_times_in_seconds(site: Site) -> None:
    auther, users = site.server("tuples", iatInSeconds=True, idTokenSeconds=900)
    claims = claims_of(auther, users)
    assert isinstance(claims["iat"], int)
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["exp"] - claims["iat"] == pytest.approx(900, abs=2)


def test_a_longer_life_than_auther_gives_is_none(site: Site) -> None:
    claims = claims_of(*site.server(idTokenSeconds=10 * DAY_S))
    assert abs(claims["exp"] - time.time() - 2 * DAY_S) < 60
    assert claims["iat"] > 1e11


def test_permissions(site: Site) -> None:
    auther, users = site.server("tuples", iatInSeconds=True, idTokenSeconds=900)
    user = users.add(bcrypt_envelope(PASSWORD))
    for row in (grant(user.id, "editor"), {**grant(user.id, "owner"), "entity_id": "7"}):
        users.run(
            f"INSERT INTO access_tuples ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            *row.values(),
        )
    claims = claims_of(auther, users, user)
    assert claims["permissions"] == {"shop": ["editor"], "shop:7": ["owner"]}
    assert "abac_required" not in claims
    assert claims_of(auther, users)["permissions"] == {}


def test_permissions_that_cannot_be_told_are_missing_not_empty(site: Site) -> None:
    auther, users = site.server("fails")
    assert "permissions" not in claims_of(auther, users)
    assert "the id_token has no permissions (Error)" in auther.log()


def test_a_refusal_stays_as_it_is(site: Site) -> None:
    auther, _ = site.server("tuples", iatInSeconds=True, idTokenSeconds=900)
    fields = {"grant_type": "authorization_code", "code": "none", "client_id": "app"}
    answer = auther.request("POST", "/api/auth/oauth2/token", data=fields)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_grant")


def test_the_rest_of_the_answer_stays(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[httpx.Response] = []
    kept = BetterAuth.request

    def noted(auther: BetterAuth, *args: Any, **kwargs: Any) -> httpx.Response:
        answers.append(kept(auther, *args, **kwargs))
        return answers[-1]

    monkeypatch.setattr(BetterAuth, "request", noted)
    given, stored = [], ""
    for server in (site.server(), site.server("tuples", iatInSeconds=True, idTokenSeconds=900)):
        claims_of(*server)
        token = next(answer for answer in answers if answer.request.url.path.endswith("/token"))
        answers.clear()
        given.append((set(token.json()), token.json()["expires_in"]))
        stored = token.headers.get("cache-control", "")
    assert given[0] == given[1]
    assert stored == "no-store"
