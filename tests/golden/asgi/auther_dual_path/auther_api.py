"""What this server asks Auther's server: the token for a code, and the migration plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from ssl import SSLContext
from typing import Any

import httpx

from .in_time import in_time
from .settings import Environment, Settings

_TIMEOUT_S = 5
_QUICK_TIMEOUT_S = 1
_LOGOUT_TIMEOUT_S = 2
_MAX_ANSWER_BYTES = 65_536
_OK, _BAD_REQUEST, _TOO_MANY, _SERVER_ERROR = 200, 400, 429, 500
# Uncompressed: a few bytes of gzip can unpack to gigabytes before anybody counts them.
_PLAIN = {"accept-encoding": "identity", "accept": "application/json"}


class AutherUnreachableError(Exception):
    """Auther gave no usable answer in time."""


class AutherRefusedError(Exception):
    """Auther said no."""


class AutherApi:
    """Auther as this application's server sees it. Each call raises AutherUnreachableError."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        self._settings = settings
        self._environment = environment

    async def token_for(self, code: str, verifier: str) -> Mapping[str, Any]:
        """Give the token endpoint's answer.

        Raises:
            AutherRefusedError: The code is not good, or not for this verifier.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect_uri,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        secret = self._environment.client_secret
        form |= {"client_secret": secret} if secret else {}
        return await self._post(self._settings.token_url, _TIMEOUT_S, data=form)

    @property
    def checks_passwords(self) -> bool:
        """Tell whether passwords can be checked at Auther."""
        return bool(self._settings.plugin_url and self._environment.verify_secret)

    async def password_verdict(self, auther_id: str, password: str) -> Mapping[str, Any]:
        """Give `valid` and `reason` for a password at Auther; signs nobody in."""
        body = {"id": auther_id, "password": password}
        secret = self._environment.verify_secret
        return await self._plugin("verify", secret, body, _QUICK_TIMEOUT_S)

    @property
    def captures(self) -> bool:
        """Tell whether Auther may be given passwords that it lacks."""
        return bool(self._settings.plugin_url and self._environment.capture_secret)

    async def capture(self, auther_id: str, password: str) -> str:
        """Give Auther a password that was right here; says what became of it.

        Raises:
            AutherRefusedError: Not for this person.
        """
        body = {"id": auther_id, "password": password}
        secret = self._environment.capture_secret
        answer = await self._plugin("capture", secret, body, _QUICK_TIMEOUT_S)
        return str(answer.get("outcome", ""))

    @property
    def exchanges(self) -> bool:
        """Tell whether sessions can be exchanged."""
        return bool(self._settings.plugin_url and self._environment.exchange_secret)

    async def exchange_ticket(self, auther_id: str, nonce_hash: str, code_challenge: str) -> str:
        """Give a ticket with which one browser gets this person's session at Auther.

        Raises:
            AutherRefusedError: Not for this person.
        """
        body = {
            "id": auther_id,
            "client_id": self._settings.client_id,
            "nonce_hash": nonce_hash,
            "code_challenge": code_challenge,
        }
        secret = self._environment.exchange_secret
        answer = await self._plugin("exchange/ticket", secret, body, _TIMEOUT_S)
        return str(answer.get("ticket", ""))

    @property
    def logs_out(self) -> bool:
        """Tell whether Auther's own sessions can be ended."""
        return bool(self._settings.plugin_url and self._environment.logout_secret)

    async def log_out(self, auther_id: str) -> None:
        """End this person's sessions at Auther.

        Raises:
            AutherRefusedError: Not for this person.
        """
        secret = self._environment.logout_secret
        await self._plugin("logout", secret, {"id": auther_id}, _LOGOUT_TIMEOUT_S)

    async def reset_url(self, auther_id: str) -> str:
        """Give the page at Auther where this person may choose a new password, once.

        Raises:
            AutherRefusedError: Not for this person.
        """
        body = {"id": auther_id}
        secret = self._environment.reset_secret
        answer = await self._plugin("reset-ticket", secret, body, _TIMEOUT_S)
        return str(answer.get("url", ""))

    async def _plugin(
        self, path: str, secret: str, body: Mapping[str, Any], timeout_s: float
    ) -> Mapping[str, Any]:
        if not (self._settings.plugin_url and secret):
            raise AutherUnreachableError
        url = f"{self._settings.plugin_url}/{path}"
        headers = {"authorization": f"Bearer {secret}"}
        return await self._post(url, timeout_s, json=body, headers=headers)

    async def _post(self, url: str, timeout_s: float, **request: Any) -> Mapping[str, Any]:
        try:
            # httpx counts its timeout per read; a server that drips bytes would never end.
            status, body = await in_time(timeout_s, lambda: self._send(url, timeout_s, request))
            if _BAD_REQUEST <= status < _SERVER_ERROR and status != _TOO_MANY:
                raise AutherRefusedError
            answer = json.loads(body) if status == _OK else None
        except (OSError, httpx.HTTPError, TimeoutError, ValueError) as error:
            raise AutherUnreachableError from error
        if not isinstance(answer, dict):
            raise AutherUnreachableError
        return answer

    async def _send(self, url: str, timeout_s: float, sent: Mapping[str, Any]) -> tuple[int, bytes]:
        tls = self._tls
        client = httpx.AsyncClient(verify=tls, timeout=timeout_s, headers=_PLAIN)
        body = b""
        async with client, client.stream("POST", url, **sent) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES:
                    raise ValueError("the answer is too large")
        return response.status_code, body

    @cached_property
    def _tls(self) -> SSLContext:
        # Reading the certificates takes longer than a request: once is enough.
        return httpx.create_ssl_context()
