"""Who holds the secret for clients reaches one client, and nothing by a request that makes no sense."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from migrator.auther.live.client.endpoint import open_client
from migrator.auther.live.doctor.asking import Asker
from migrator.auther.live.doctor.interface import Setting
from migrator.auther.live.doctor.plugin import capabilities
from migrator.auther.live.doctor.visit import Visit
from migrator.core.clock import SystemClock
from migrator.core.errors import RefusedError, UsageError
from tests.auther.plugin.door import SECRETS, Door

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.auther.live.conftest import Server

pytestmark = pytest.mark.xdist_group("auther-client")

PATHS = ("read", "write", "consents/add", "consents/remove")
REDIRECT = "https://evil.example"
NEW = {"before": None, "name": "n", "redirect_ur_ls": REDIRECT}
EMPTY = dict.fromkeys(
    ("name", "redirect_ur_ls", "type", "disabled", "metadata", "updated_at"), None
)
SENSELESS: list[tuple[str, dict[str, Any]]] = [
    *(("write", NEW | {"before": before}) for before in ([], "x", 1, True)),
    *(("write", NEW | {"before": EMPTY | {"name": cell}}) for cell in ({}, [], True)),
    *(("write", NEW | {"name": name}) for name in (None, "", 1, {}, ["a"])),
    *(("write", NEW | {"redirect_ur_ls": text}) for text in (None, "", 1, {}, ["a"])),
    ("write", {}),
    *((f"consents/{what}", {}) for what in ("add", "remove")),
    *(
        ("consents/add", {"users": users})
        for users in (None, "ada", {"0": "ada"}, [1], [None], [[]])
    ),
    ("consents/add", {"users": ["x"] * 5001}),
    ("consents/remove", {"users": ["x"] * 5001}),
]


@pytest.fixture
def server(trusting: Server) -> Iterator[Server]:
    """The server with the client `shop` and one of somebody else's, which both stay as they are."""
    for name in ("shop", "another"):
        trusting.users.run(
            "INSERT INTO oauth_application (id, name, client_id, redirect_ur_ls, type, disabled)"
            " VALUES (?, ?, ?, 'https://x.example', 'public', 0)",
            *(name, name, name),
        )
    before = tables(trusting)
    yield trusting
    assert tables(trusting) == before


def tables(server: Server) -> list[dict[str, object]]:
    return [
        row
        for table in ("oauth_application", "oauth_consent")
        for row in server.users.rows(f"SELECT * FROM {table}")
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "client_id", ["another", "", "SHOP", "shop ", None, 1, ["shop"], {"a": 1}]
)
def test_another_client_is_out_of_reach(server: Server, path: str, client_id: object) -> None:
    answer = Door(server.auther).ask(
        "CLIENT", "POST", f"client/{path}", json={"client_id": client_id, "users": ["x"], **NEW}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "another_client")


@pytest.mark.parametrize("path", PATHS)
def test_no_other_secret_opens_it(server: Server, path: str) -> None:
    door, body = Door(server.auther), {"client_id": "shop", "users": ["x"], **NEW}
    others = [secret for name, secret in SECRETS.items() if name != "CLIENT"]
    for secret in ("x", SECRETS["CLIENT"][:-1], SECRETS["CLIENT"] + "x", *others):
        answer = door.ask("CLIENT", "POST", f"client/{path}", secret=secret, json=body)
        assert (answer.status_code, answer.json()) == (401, {"code": "wrong_secret"})
    assert server.auther.request("POST", f"/api/auth/migrator/client/{path}").status_code == 401


def test_a_request_that_makes_no_sense_is_refused(server: Server) -> None:
    door = Door(server.auther)
    for path, body in SENSELESS:
        sent = {"client_id": "shop", **body}
        answer = door.ask("CLIENT", "POST", f"client/{path}", json=sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), (path, body)


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_is_no_json_or_has_no_end(server: Server, path: str) -> None:
    door = Door(server.auther)
    for body in (b"", b"{", b"[]", b"null", b"\xff"):
        answer = door.ask("CLIENT", "POST", f"client/{path}", content=body)
        assert (answer.status_code, answer.json()) == (400, {"code": "not_json"})
    answer = door.ask("CLIENT", "POST", f"client/{path}", content=b" " * (512 * 1024 + 1))
    assert (answer.status_code, answer.json()) == (413, {"code": "too_large"})


@pytest.mark.parametrize(
    ("client_id", "secret", "said", "todo"),
    [
        ("another", "CLIENT", "another client only", "MIGRATOR_CLIENT_ID"),
        ("shop", "IMPORT", "does not know the secret for clients", "MIGRATOR_SECRET_CLIENT"),
    ],
)
def test_the_refusal_says_what_to_compare(
    server: Server, client_id: str, secret: str, said: str, todo: str
) -> None:
    with (
        open_client(server.api, client_id, secret=SECRETS[secret]) as rows,
        pytest.raises(RefusedError, match=said) as refused,
    ):
        rows.read()
    assert todo in refused.value.hint


@pytest.mark.parametrize(
    ("client_id", "said"),
    [
        ("shop", "each has its own secret"),
        ("another", "through it: MIGRATOR_CLIENT_ID is not [auther] client_id"),
    ],
)
def test_the_doctor_tells_whether_the_client_is_within_reach(
    server: Server, client_id: str, said: str
) -> None:
    setting = Setting(
        base_url=server.auther.base_url,
        api=server.api,
        client_id=client_id,
        redirect_uri="https://x.example",
        issuers=(),
        audiences=(),
        capabilities={"client": SECRETS["CLIENT"]},
    )
    with closing(Asker(setting.base_url)) as asker:
        found = capabilities(Visit(setting, asker, SystemClock()))
    assert found.found.endswith("reset, client; off: none")
    assert found.means.endswith(said)


def test_the_secret_never_leaves_the_machine_in_clear() -> None:
    with (
        pytest.raises(UsageError, match="secret for clients would travel"),
        open_client("http://auth.example.org/api/auth", "shop", secret=SECRETS["CLIENT"]),
    ):
        pass
