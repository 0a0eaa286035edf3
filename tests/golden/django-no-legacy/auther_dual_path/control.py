"""The positive control: a signed marker that proves that this very counter still counts."""

from __future__ import annotations

import hmac
import re
import threading
import time
from collections.abc import Callable
from hashlib import sha256

HEADER = "x-migrator-control"
WINDOW_S = 60
_MARKER = re.compile(r"v1\.(?P<at>[0-9]{1,12})\.(?P<nonce>[0-9a-f]{32})\.(?P<mac>[0-9a-f]{64})")
_MAX_NONCES = 10_000


class Control:
    """Recognises markers; each is good once in this process, for a minute.

    A marker authenticates nobody: all it can do is add one to a counter labelled synthetic.
    """

    def __init__(self, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._now = now
        self._used: dict[str, float] = {}
        self._lock = threading.Lock()

    def accepts(self, marker: str) -> bool:
        """Tell whether a marker is ours, fresh and unused. A bad one is as if it were not there."""
        match = _MARKER.fullmatch(marker)
        if match is None or not self._secret:
            return False
        signed = f"v1.{match['at']}.{match['nonce']}"
        mac = hmac.new(self._secret, signed.encode(), sha256).hexdigest()
        if not hmac.compare_digest(mac, match["mac"]):
            return False
        fresh = abs(self._now() - int(match["at"])) <= WINDOW_S
        with self._lock:
            return fresh and self._is_first(match["nonce"])

    def _is_first(self, nonce: str) -> bool:
        now = self._now()
        # A marker from a clock that runs ahead stays valid for up to twice the window.
        self._used = {n: at for n, at in self._used.items() if now - at <= 2 * WINDOW_S}
        if nonce in self._used or len(self._used) >= _MAX_NONCES:
            return False
        self._used[nonce] = now
        return True
