"""Starts and stops the server, and talks to it as an application's backend or a test does."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.parts.better_auth.build import bundle

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "migrator" / "auther" / "ways" / "schema.sql"
STOP_WITHIN_S = 10
REQUEST_TIMEOUT_S = 60
# scrypt takes 32 MiB for each password: giving that back and fetching it anew is a fifth of the work.
KEEP_MEMORY = "glibc.malloc.mmap_threshold=268435456:glibc.malloc.trim_threshold=536870912"


@dataclass(frozen=True)
class Client:
    """An OAuth client.

    Attributes:
        type: `public` (PKCE, no secret) or `web`.
        trusted: In Auther's own configuration, so that no consent is asked; otherwise only the row in
            `oauth_application` is written, and a user needs a row in `oauth_consent`.
        row: With its row in `oauth_application`; a trusted client without one gets no tokens.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    type: str = "public"
    secret: str | None = None
    trusted: bool = True
    row: bool = True

    def as_setting(self) -> dict[str, Any]:
        """Give the form in which the server reads it."""
        setting = {"clientId": self.client_id, "name": self.client_id, "type": self.type}
        urls = {
            "redirectURLs": list(self.redirect_uris),
            "trusted": self.trusted,
            "row": self.row,
        }
        return {**setting, **urls, **({"clientSecret": self.secret} if self.secret else {})}


@dataclass(frozen=True)
class SignIn:
    """Auther's answer to a sign-in.

    Attributes:
        status: HTTP status.
        code: Auther's error code, empty after a success.
        user_id: Who is signed in, empty after a refusal.
        session_token: Empty after a refusal.
    """

    status: int
    code: str
    user_id: str
    session_token: str


class BetterAuth:
    """A running server. A context manager that stops it at the end.

    Attributes:
        base_url: Origin of the server, also the issuer of its tokens.
        log_path: Standard error of the server.
    """

    def __init__(self, process: subprocess.Popen[bytes], base_url: str, log_path: Path) -> None:
        self._process = process
        self.base_url = base_url
        self.log_path = log_path
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._http = httpx.Client(base_url=base_url, timeout=REQUEST_TIMEOUT_S, cookies=no_cookies)

    def sign_in(self, email: str, password: str) -> SignIn:
        """Sign in with e-mail and password; keeps no cookie, so every call stands alone."""
        return self._sign_in("/api/auth/sign-in/email", {"email": email, "password": password})

    def sign_in_username(self, username: str, password: str) -> SignIn:
        """Sign in with the username plugin."""
        credentials = {"username": username, "password": password}
        return self._sign_in("/api/auth/sign-in/username", credentials)

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Send a request with this server's own Origin header; threads may call it at the same time."""
        headers = {"Origin": self.base_url, **kwargs.pop("headers", {})}
        return self._http.request(method, path, headers=headers, **kwargs)

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def log(self) -> str:
        """Give what the server wrote to standard error so far."""
        return self.log_path.read_text(encoding="utf-8")

    def stop(self) -> None:
        """End the server and wait for it; the database file is closed after that."""
        self._http.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _sign_in(self, path: str, credentials: Mapping[str, str]) -> SignIn:
        answer = self.request("POST", path, json=credentials)
        try:
            body = answer.json() or {}
        except json.JSONDecodeError:
            body = {}
        user_id = body.get("user", {}).get("id", "")
        return SignIn(answer.status_code, body.get("code", ""), user_id, body.get("token") or "")


def start(
    db_path: Path,
    *,
    plugin: bool = True,
    peppers: Mapping[str, str] | None = None,
    clients: Sequence[Client] = (),
    port: int = 0,
    rate_limit: bool = False,
    behaviour: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
    log_path: Path | None = None,
    newest: bool = False,
) -> BetterAuth:
    """Start better-auth on a database file, which is created with Auther's tables when it is empty.

    Args:
        db_path: The database file.
        plugin: With the plugin for imported passwords.
        peppers: Pepper values by their id, put into the plugin's environment.
        clients: OAuth clients; each gets its row in `oauth_application`.
        port: 0 for any free one.
        rate_limit: With Auther's limits of production.
        behaviour: What Authers differ in; the names and values are in settings.ts.
        env: Further environment of the server.
        log_path: Where standard error goes, by default next to the database file.
        newest: The newest better-auth instead of Auther's 1.3.32.

    Raises:
        RuntimeError: The server ended before it was ready; the message holds its log.
        FileNotFoundError: Node.js or the npm packages are not installed.
    """
    log_path = log_path or db_path.with_suffix(".better-auth.log")
    settings = {
        "DATABASE_FILE": str(db_path),
        "SCHEMA_FILE": str(SCHEMA),
        "BETTER_AUTH_SECRET": "a secret of the tests, 32 characters or more",
        "PLUGIN": "1" if plugin else "0",
        "PORT": str(port),
        "RATE_LIMIT": "1" if rate_limit else "0",
        "CLIENTS": json.dumps([client.as_setting() for client in clients]),
        "BEHAVIOUR": json.dumps(dict(behaviour or {})),
        "GLIBC_TUNABLES": KEEP_MEMORY,
    }
    secrets = {pepper_variable(name): value for name, value in (peppers or {}).items()}
    environment = {**_clean_environment(), **settings, **secrets, **(env or {})}
    return _launch(bundle(newest=newest), environment, log_path)


def pepper_variable(pepper_id: str) -> str:
    """The environment variable in which the plugin looks for a pepper."""
    return "MIGRATOR_PEPPER_" + pepper_id.upper().replace("-", "_")


def _clean_environment() -> dict[str, str]:
    """This process's environment without anything that would reconfigure the server."""
    foreign = ("MIGRATOR_", "BETTER_AUTH_", "NODE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _launch(program: Path, environment: Mapping[str, str], log_path: Path) -> BetterAuth:
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            ["node", str(program)],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise RuntimeError(f"better-auth did not start:\n{log_path.read_text(encoding='utf-8')}")
    return BetterAuth(process, f"http://127.0.0.1:{json.loads(line)['port']}", log_path)
