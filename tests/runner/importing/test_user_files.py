"""Files with users: what they say arrives, and what is wrong with them is said by line, never by value."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from migrator.core.errors import UsageError
from migrator.runner.importing.user_files import users_of

SECRET = "$2b$04$secret"


def read(text: str | bytes, form: str = "csv") -> list[dict[str, object]]:
    data = text.encode() if isinstance(text, str) else text
    return [user.values for user in users_of(io.BytesIO(data), form=form)]


def test_csv_with_everything_that_quotes_can_do() -> None:
    text = '\ufeffid,email,password,name,created_at,verified,roles\r\n1,a@x.org,h,"A, ""B""\nC",2020-01-02T03:04:05Z,t,"x, y"\r\n2,,,,,,\n'
    one, two = read(text)
    assert one == {
        "id": "1",
        "email": "a@x.org",
        "password": "h",
        "name": 'A, "B"\nC',
        "created_at": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
        "verified": True,
        "roles": ["x", "y"],
    }
    assert two == {**dict.fromkeys(one), "id": "2"}


def test_json_lines_with_numbers_and_lists() -> None:
    rows = [{"id": 7, "email": "a@x.org", "password": None, "roles": ["a,b"]}, {"id": "x"}]
    made = read("\n".join(map(json.dumps, rows)) + "\n\n", "jsonl")
    assert made == [{**rows[0], "id": "7"}, {"id": "x"}]


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("csv", f"7,a@x.org,{SECRET}\n", "line 1: is a header with other names than: id, email"),
        ("csv", "id,id\n", "line 1: names a column twice"),
        ("csv", f"id,email,password\n1,{SECRET}\n", "line 2: has 2 fields, the header 3"),
        ("csv", f'id,name\n1,"{SECRET}\n', "line 2: is no CSV"),
        ("csv", f'id,name\n1,"a\nb"\n\n3,"{SECRET}"x\n', "line 5: is no CSV"),
        ("csv", "id,email\n,a@x.org\n", "line 2: has no id"),
        ("csv", "id,created_at\n1,yesterday\n", "line 2: created_at is not an ISO 8601 time"),
        ("csv", "id,verified\n1,maybe\n", "line 2: verified is not true or false"),
        ("csv", b"id,name\n1,\xff\n", "line 2: is not UTF-8"),
        ("csv", "id,name\n1,a\0b\n", "line 2: name is not a text that can be stored"),
        ("jsonl", f'{{"id": 1}}\n{SECRET}\n', "line 2: is no JSON"),
        ("jsonl", f'["{SECRET}"]\n', "line 1: is no object"),
        ("jsonl", '{"id": 1, "password_digest": "x"}\n', "line 1: gives password_digest, which is not"),
        ("jsonl", f'{{"id": 1, "{SECRET}": 2}}\n', "line 1: gives a name, which is not"),
        ("jsonl", '{"id": true}', "line 1: id is not a text"),
        ("jsonl", '{"id": 1, "name": "\\ud800"}', "line 1: name is not a text that can be stored"),
        ("jsonl", '{"id": 1, "roles": [2, []]}', "line 1: roles is not a list of names"),
        ("jsonl", '{"id": 1, "created_at": 5}', "line 1: created_at is not an ISO 8601 time"),
        ("auth0", '{"email": "a@x.org"}', "line 1: has no id"),
        ("auth0", '{"user_id": "a|1", "identities": "x"}', "line 1: identities is no list of objects"),
        ("auth0", '{"user_id": "a|1", "custom_password_hash": [1]}', "custom_password_hash is no object"),
        ("firebase", '{"accounts": []}', "the file: has no list of users"),
        ("firebase", '{"users": [{"localId": "a"}, 5]}', r"users\[1\]: is no object"),
        ("firebase", '{"users": [{"localId": "a", "createdAt": "x"}]}', r"users\[0\]: createdAt is no time"),
    ],
)  # fmt: skip
def test_faults_are_told_by_line(form: str, text: str | bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        read(text, form)
    assert "secret" not in str(raised.value) + raised.value.hint


def test_a_user_of_each_export() -> None:
    auth0 = {
        "user_id": "google-oauth2|9",
        "email": "a@x.org",
        "email_verified": True,
        "blocked": True,
        "multifactor": ["guardian"],
        "custom_password_hash": {"hash": {"value": "h"}, "salt": {"value": "s"}},
        "identities": [
            {"provider": "google-oauth2", "user_id": "9", "isSocial": True},
            {"provider": "auth0", "user_id": "8", "isSocial": False},
        ],
        "app_metadata": {"plan": "free"},
    }
    (user,) = users_of(io.BytesIO(json.dumps(auth0).encode()), form="auth0")
    kept = {
        "disabled": True,
        "verified": True,
        "second_factor": True,
        "password": "h",
        "salt": "s",
    }
    assert {name: user.values[name] for name in kept} == kept
    assert user.identities == (("google", "9"),)
    (hashes,) = read('{"_id": {"$oid": "5f"}, "email": "a@x.org", "passwordHash": "h"}', "auth0")
    assert (hashes["id"], hashes["password"], hashes["verified"]) == ("auth0|5f", "h", False)

    firebase = {
        "localId": "Ab1",
        "createdAt": "1500",
        "passwordHash": "h",
        "salt": "s",
        "disabled": True,
        "providerUserInfo": [{"providerId": p, "rawId": "4"} for p in ("github.com", "password")],
    }
    (user,) = users_of(io.BytesIO(json.dumps({"users": [firebase]}).encode()), form="firebase")
    assert user.values["created_at"] == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert (user.values["disabled"], user.identities) == (True, (("github", "4"),))
