"""Stages of the cutover and the document that tells every shim which one holds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256

from migrator.core.errors import UsageError

BUCKETS = 100_000


class Stage(StrEnum):
    """Where the whole migration stands, in order."""

    LEGACY = "legacy"
    DUAL = "dual"
    DRAIN = "drain"
    AUTHER = "auther"

    @property
    def rank(self) -> int:
        """Give the position in the order, 0 to 3."""
        return list(Stage).index(self)


@dataclass(frozen=True)
class StageDocument:
    """What a stage document says.

    Attributes:
        percent: Share of browsers that sign in at Auther in `dual`, 0 to 100, two decimals.
        salt: Makes a browser's bucket; never changes within one migration.
        epoch: Grows with each document, rollbacks included.
        stop_accepting: Auther credentials are refused in stage `legacy` (after a compromise).
        legacy_accept_until: ISO 8601 UTC, or None without a deadline.
        issued_at: ISO 8601 UTC.
        ledger_head: Hash of the ledger entry that announced this document.
        ledger_length: Number of entries up to it.
        cohorts: Groups of the application's own making that sign in at Auther in `dual`, whatever
            their bucket.
    """

    namespace: str
    epoch: int
    stage: Stage
    percent: float
    salt: str
    issued_at: str
    ledger_head: str
    ledger_length: int
    stop_accepting: bool = False
    legacy_accept_until: str | None = None
    cohorts: tuple[str, ...] = ()
    version: int = 1

    def to_json(self) -> str:
        """Give the payload that is signed."""
        return json.dumps(asdict(self), sort_keys=True)


def parse_document(payload: str) -> StageDocument:
    """Read a payload.

    Raises:
        ValueError: It is not a version 1 stage document.
    """
    data = json.loads(payload)
    if not isinstance(data, dict) or data.get("version") != 1:
        raise ValueError("not a stage document of version 1")
    try:
        cohorts = tuple(data.get("cohorts", ()))
        return StageDocument(**{**data, "stage": Stage(data["stage"]), "cohorts": cohorts})
    except (TypeError, KeyError) as error:
        raise ValueError(f"a stage document with missing or unknown keys: {error}") from error


def bucket(salt: str, key: str) -> int:
    """Give a browser's bucket, 0 to 99,999: stable as long as salt and cookie are."""
    return int.from_bytes(sha256((salt + key).encode()).digest()[:8], "big") % BUCKETS


def check_step(current: Stage, target: Stage) -> None:
    """Let pass one step forward, any number of steps back, and staying.

    Raises:
        UsageError: The step skips a stage.
    """
    if target.rank > current.rank + 1:
        following = list(Stage)[current.rank + 1]
        raise UsageError(
            f"stage {target} cannot follow {current} directly",
            hint=f"the next stage is {following}: migrator dual-path stage set {following}",
        )
