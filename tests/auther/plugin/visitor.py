"""Somebody with a browser at Auther: keeps cookies, and reads the mail that Auther sends."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.auther.plugin.users import Users
from tests.parts.better_auth import BetterAuth


class Visitor:
    """A session at Auther."""

    def __init__(self, auther: BetterAuth, email: str, password: str) -> None:
        self._http = httpx.Client(
            base_url=f"{auther.base_url}/api/auth", headers={"Origin": auther.base_url}, timeout=60
        )
        self.post("sign-in/email", email=email, password=password)

    def post(self, path: str, **body: Any) -> Any:
        """Call an endpoint that has to answer 200."""
        answer = self._http.post(path, json=body)
        assert answer.status_code == httpx.codes.OK, (answer.status_code, answer.text)
        return answer.json()

    def get(self, path: str) -> Any:
        """Read what has to be there."""
        answer = self._http.get(path)
        assert answer.status_code == httpx.codes.OK, (answer.status_code, answer.text)
        return answer.json()

    def follow(self, url: str) -> None:
        """Open a link of a mail."""
        parts = urlsplit(url)
        assert self._http.get(f"{parts.path.removeprefix('/api/auth')}?{parts.query}").is_redirect


def admin(auther: BetterAuth, users: Users, stored: str, password: str) -> Visitor:
    """An administrator, signed in."""
    user = users.add(stored)
    users.run("UPDATE user SET role = 'admin' WHERE id = ?", user.id)
    return Visitor(auther, user.email, password)


def mails(path: Path, kind: str) -> list[dict[str, str]]:
    """The mails of one kind, oldest first."""
    sent = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [mail for mail in sent if mail["kind"] == kind]
