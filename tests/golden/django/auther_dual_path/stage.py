"""Which stage holds: a signed document in a file, its last good copy, else what is baked."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .model import Stage, VerificationUnavailableError
from .settings import Settings

BUCKETS = 100_000
_MAX_BYTES = 65_536
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageView:
    """The stage as this process sees it now.

    Attributes:
        percent: Share of browsers that sign in at Auther in `dual`, 0 to 100.
        legacy_until_s: Unix time after which legacy credentials end, None without a deadline.
        origin: `live`, `cached` or `baked`.
        cohorts: Groups of the application's own making that sign in at Auther in `dual`.
    """

    stage: Stage
    percent: float
    salt: str
    epoch: int
    stop_accepting: bool
    legacy_until_s: float | None
    origin: str
    cohorts: frozenset[str] = frozenset()

    @cached_property
    def label(self) -> str:
        """Give the stage as a counter's label; hashing an enum's member takes longer."""
        return str(self.stage)

    def legacy_is_over(self, now_s: float) -> bool:
        """Tell whether legacy credentials no longer sign anybody in."""
        ended = self.legacy_until_s is not None and now_s >= self.legacy_until_s
        return self.stage is Stage.AUTHER or (self.stage is Stage.DRAIN and ended)

    def accepts_auther(self) -> bool:
        """Tell whether Auther's tokens are good (they are not after a compromise)."""
        return not (self.stage is Stage.LEGACY and self.stop_accepting)

    def sends_to_auther(self, key: str, cohort: str = "") -> bool:
        """Tell on which side a browser signs in: sticky, and monotonic in percent."""
        if self.stage is not Stage.DUAL:
            return self.stage in {Stage.DRAIN, Stage.AUTHER}
        if cohort in self.cohorts:
            return True
        # An integer on both sides: 0.07 * 1000 is 70.00000000000001.
        return bucket(self.salt, key) < round(self.percent * 1000)


def bucket(salt: str, key: str) -> int:
    """Give a browser's bucket, 0 to 99,999."""
    return int.from_bytes(sha256((salt + key).encode()).digest()[:8], "big") % BUCKETS


class StageReader:
    """Reads the stage document again when it is older than `settings.stage_every_s`."""

    def __init__(
        self,
        settings: Settings,
        *,
        file: str,
        cache: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._file = Path(file) if file else None
        self._cache = Path(cache) if cache else None
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._good: StageView | None = None
        self._text = ""
        self._read_at: float | None = None
        self._cache_is_broken = False
        self._start_from_cache()

    def now(self) -> StageView:
        """Give the stage.

        Raises:
            VerificationUnavailableError: There was a document once and none can be read, or the
                baked stage is so late that guessing could let a removed credential in.
        """
        at = self._monotonic()
        good, read_at = self._good, self._read_at
        if good is not None and read_at is not None and at - read_at < self._settings.stage_every_s:
            return good
        # The background thread asks too; both must not parse at once.
        with self._lock:
            if self._read_at is None or at - self._read_at >= self._settings.stage_every_s:
                self._read_at = at
                self._refresh()
            return self._good or self._baked()

    def _refresh(self) -> None:
        text = _read(self._file)
        view = None if text is None else self._opened(text, origin="live")
        if view is None or text is None:
            if self._good is not None and self._good.origin == "live":
                self._good = _as_cached(self._good)
            return
        if self._good is not None and view.epoch == self._good.epoch and text != self._text:
            _log.error("stage document refused: epoch %d with another content", view.epoch)
            return
        if text != self._text:
            self._store(text, view.epoch)
        self._good, self._text = view, text

    def _start_from_cache(self) -> None:
        text = _read(self._cache)
        if text is None:
            return
        self._good, self._text = self._opened(text, origin="cached"), text
        self._cache_is_broken = self._good is None

    def _opened(self, text: str, *, origin: str) -> StageView | None:
        try:
            view = open_document(text, self._settings, origin=origin)
        except ValueError as error:
            _log.error("stage document refused: %s", error)
            return None
        if self._good is not None and view.epoch < self._good.epoch:
            _log.error("stage document refused: epoch %d after %d", view.epoch, self._good.epoch)
            return None
        return view

    def _store(self, text: str, epoch: int) -> None:
        if self._cache is None:
            return
        # Best effort: a full disk must not keep this process from following the switch. A worker
        # that lags behind must not put an older document over a newer one.
        with contextlib.suppress(OSError, ValueError):
            there = _read(self._cache)
            if there is not None and self._epoch_of(there) > epoch:
                return
            handle, name = tempfile.mkstemp(dir=self._cache.parent, prefix=".stage-")
            with os.fdopen(handle, "w", encoding="utf-8") as aside:
                aside.write(text)
            Path(name).replace(self._cache)

    def _epoch_of(self, text: str) -> int:
        try:
            return open_document(text, self._settings, origin="cached").epoch
        except ValueError:
            return -1

    def _baked(self) -> StageView:
        stage = Stage(self._settings.baked_stage)
        if self._cache_is_broken or stage in {Stage.DRAIN, Stage.AUTHER}:
            raise VerificationUnavailableError("stage_unknown", self._settings.stage_every_s)
        percent = self._settings.baked_percent
        return StageView(stage, percent, "", 0, False, None, "baked")


def open_document(text: str, settings: Settings, *, origin: str) -> StageView:
    """Check a document's signature and read it.

    Raises:
        ValueError: It is not signed by our key, is of another migration, or is malformed.
    """
    try:
        outer = json.loads(text)
        payload: str = outer["payload"]
        _public_key(settings).verify(_unbase64(outer["signature"]), payload.encode())
        data: dict[str, Any] = json.loads(payload)
        if (data["version"], data["namespace"]) != (1, settings.namespace):
            raise ValueError("another version or another migration")
        return _view(data, origin)
    except InvalidSignature:
        raise ValueError("not signed by this migration's key") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a stage document") from error


def _view(data: dict[str, Any], origin: str) -> StageView:
    epoch, percent, until = data["epoch"], data["percent"], data["legacy_accept_until"]
    if not isinstance(epoch, int) or not 0 <= percent <= 100:
        raise ValueError("not a stage document")
    until_s = None if until is None else datetime.fromisoformat(until).timestamp()
    stop = data["stop_accepting"] is True
    cohorts = frozenset(str(name) for name in data.get("cohorts", ()))
    return StageView(
        stage=Stage(data["stage"]),
        percent=float(percent),
        salt=str(data["salt"]),
        epoch=epoch,
        stop_accepting=stop,
        legacy_until_s=until_s,
        origin=origin,
        cohorts=cohorts,
    )


def _as_cached(view: StageView) -> StageView:
    return replace(view, origin="cached")


def _read(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MAX_BYTES)
    except (OSError, UnicodeDecodeError):
        return None


def _public_key(settings: Settings) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_unbase64(settings.stage_public_key))


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
