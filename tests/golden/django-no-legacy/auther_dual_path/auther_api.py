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

    def token_for(self, code: str, verifier: str) -> Mapping[str, Any]:
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
        return self._post(self._settings.token_url, _TIMEOUT_S, data=form)

    @property
    def logs_out(self) -> bool:
        """Tell whether Auther's own sessions can be ended."""
        return bool(self._settings.plugin_url and self._environment.logout_secret)

    def log_out(self, auther_id: str) -> None:
        """End this person's sessions at Auther.

        Raises:
            AutherRefusedError: Not for this person.
        """
        secret = self._environment.logout_secret
        self._plugin("logout", secret, {"id": auther_id}, _LOGOUT_TIMEOUT_S)

    def _plugin(
        self, path: str, secret: str, body: Mapping[str, Any], timeout_s: float
    ) -> Mapping[str, Any]:
        if not (self._settings.plugin_url and secret):
            raise AutherUnreachableError
        url = f"{self._settings.plugin_url}/{path}"
        headers = {"authorization": f"Bearer {secret}"}
        return self._post(url, timeout_s, json=body, headers=headers)

    def _post(self, url: str, timeout_s: float, **request: Any) -> Mapping[str, Any]:
        try:
            # httpx counts its timeout per read; a server that drips bytes would never end.
            status, body = in_time(timeout_s, lambda: self._send(url, timeout_s, request))
            if _BAD_REQUEST <= status < _SERVER_ERROR and status != _TOO_MANY:
                raise AutherRefusedError
            answer = json.loads(body) if status == _OK else None
        except (OSError, httpx.HTTPError, TimeoutError, ValueError) as error:
            raise AutherUnreachableError from error
        if not isinstance(answer, dict):
            raise AutherUnreachableError
        return answer

    def _send(self, url: str, timeout_s: float, sent: Mapping[str, Any]) -> tuple[int, bytes]:
        tls = self._tls
        client = httpx.Client(verify=tls, timeout=timeout_s, headers=_PLAIN)
        body = b""
        with client, client.stream("POST", url, **sent) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES:
                    raise ValueError("the answer is too large")
        return response.status_code, body

    @cached_property
    def _tls(self) -> SSLContext:
        # Reading the certificates takes longer than a request: once is enough.
        return httpx.create_ssl_context()
