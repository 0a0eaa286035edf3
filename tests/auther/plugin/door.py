"""The plugin's endpoints as the migrator calls them."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from migrator.auther.interface import AccountRow, TupleRow, UserRow
from migrator.core.ids import account_id, mark_key
from tests.auther.plugin.users import Users
from tests.parts.better_auth import BetterAuth

KEY = "the key of a migration, 32 bytes" * 2
MARK = mark_key(KEY.encode())
CAPABILITIES = (
    "IMPORT",
    "VERIFY",
    "STATISTICS",
    "EVENTS",
    "EXCHANGE",
    "LOGOUT",
    "RESET",
    "CAPTURE",
    "CLIENT",
)
SECRETS = {
    name: f"the secret for {name.lower()}, 32 bytes or more".replace(" ", "-")
    for name in CAPABILITIES
}
ENVIRONMENT = {
    "MIGRATOR_MARK": MARK.hex(),
    "MIGRATOR_CLIENT_ID": "shop",
    **{f"MIGRATOR_SECRET_{name}": secret for name, secret in SECRETS.items()},
}
LONG_AGO_MS = 1_700_000_000_123
TUPLES = """CREATE TABLE access_tuples (id text PRIMARY KEY, entity_type text NOT NULL, entity_type_id text,
entity_id text NOT NULL, relation text NOT NULL, subject_type text NOT NULL, subject_id text NOT NULL,
subject_relation text, condition text, created_at integer NOT NULL, updated_at integer NOT NULL)"""
_numbers = itertools.count(1)

Rows = dict[str, Any]


class Door:
    """One server's endpoints, each called with its own secret."""

    def __init__(self, auther: BetterAuth) -> None:
        self._auther = auther

    def ask(
        self, capability: str, method: str, path: str, *, secret: str | None = None, **kwargs: Any
    ) -> httpx.Response:
        """Send a request below /migrator; with the capability's own secret when none is given."""
        bearer = {"Authorization": f"Bearer {secret or SECRETS[capability]}"}
        headers = {**bearer, **kwargs.pop("headers", {})}
        return self._auther.request(
            method, f"/api/auth/migrator/{path}", headers=headers, **kwargs
        )

    def post(self, capability: str, path: str, body: Mapping[str, Any]) -> Any:
        """Give the JSON of an answer that has to be 200."""
        return _body(self.ask(capability, "POST", path, json=body))

    def get(self, capability: str, path: str, **params: Any) -> Any:
        """Give the JSON of an answer that has to be 200."""
        return _body(self.ask(capability, "GET", path, params=params))

    def upsert(self, *people: Rows) -> list[str]:
        """Import people and give the outcomes."""
        answer = self.post("IMPORT", "users/upsert", {"users": list(people)})
        return [str(outcome["outcome"]) for outcome in answer["outcomes"]]

    def change(self, *changes: Rows) -> list[str]:
        """Change people and give the outcomes."""
        answer = self.post("IMPORT", "users/change", {"changes": list(changes)})
        return [str(outcome["outcome"]) for outcome in answer["outcomes"]]

    def read(self, *ids: str) -> list[Rows]:
        """Read people."""
        users: list[Rows] = self.post("IMPORT", "users/read", {"ids": ids})["users"]
        return users


def _body(answer: httpx.Response) -> Any:
    assert answer.status_code == httpx.codes.OK, (answer.status_code, answer.text)
    return answer.json()


def person(
    *,
    password: str | None = None,
    providers: Iterable[str] = (),
    mark: bytes = MARK,
    **columns: Any,
) -> Rows:
    """A user as the import sends it: with a credential account when there is a password."""
    number = next(_numbers)
    user_id = str(columns.pop("id", f"person{number:026}"))
    user = UserRow(
        user_id, "A Name", f"person{number}@example.com", 1, None, LONG_AGO_MS, LONG_AGO_MS + 1,
        None, None, None, None, f"person{number}", f"Person{number}",
    )  # fmt: skip
    subjects = {"credential": user_id} if password is not None else {}
    subjects |= {provider: f"{provider}-{number}" for provider in providers}
    accounts = [
        account(user_id, provider, subject, password=password, mark=mark)
        for provider, subject in subjects.items()
    ]
    return {"user": {**user._asdict(), **columns}, "accounts": accounts, "tuples": []}


def account(
    owner: str, provider: str, subject: str, *, password: str | None = None, mark: bytes = MARK
) -> Rows:
    """An account as the import sends it."""
    stored = password if provider == "credential" else None
    name = account_id(mark, owner=owner, provider=provider, subject=subject)
    row = AccountRow(name, subject, provider, owner, stored, LONG_AGO_MS, LONG_AGO_MS)
    return row._asdict()


def grant(owner: str, relation: str) -> Rows:
    """A role of a user; times of this table are seconds."""
    row = TupleRow(
        f"tpl_{owner}_{relation}", "shop", None, "*", relation, "user", owner, None, None, 1_700_000_000,
        1_700_000_000,
    )  # fmt: skip
    return row._asdict()


def ids(*people: dict[str, Any]) -> list[str]:
    """The ids of people."""
    return [row["user"]["id"] for row in people]


def stored(users: Users, *people: dict[str, Any]) -> list[list[dict[str, object]]]:
    """Everything the tables hold of these people."""
    return [
        [
            *users.rows("SELECT * FROM user WHERE id = ?", name),
            *users.rows("SELECT * FROM account WHERE user_id = ? ORDER BY id", name),
            *users.rows("SELECT * FROM verification WHERE identifier LIKE ?", f"%{name}%"),
        ]
        for name in ids(*people)
    ]


def after(row: dict[str, Any], **columns: Any) -> dict[str, Any]:
    """A change of some columns of a user as read."""
    return {"before": row, "user": {**row["user"], **columns}, "accounts": row["accounts"]}


def cookie_of(auther: BetterAuth, email: str, password: str) -> str:
    """Sign in as a browser does, and give the session's cookies."""
    credentials = {"email": email, "password": password}
    answer = auther.request("POST", "/api/auth/sign-in/email", json=credentials)
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def is_signed_in(auther: BetterAuth, cookie: str) -> bool:
    """Tell whether cookies still stand for a session."""
    headers = {"Cookie": cookie}
    return auther.request("GET", "/api/auth/get-session", headers=headers).json() is not None
