"""The receipt of a removal: as data, and as one HTML file that needs nothing else. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class StepDone:
    """A step: when it was applied, and the gates' verdicts that let it through, as entries of the ledger."""

    step: str
    at: str
    gates: tuple[str, ...]
    entry: int


@dataclass(frozen=True)
class Consent:
    """Who let something happen; `way` is `approval` or `second confirmation`."""

    purpose: str
    way: str
    approvers: tuple[str, ...]
    by: str
    at: str


@dataclass(frozen=True)
class TableKept:
    """An archived table: rows, SHA-256 over their text form, when its restore was proven, rows that may not come back.

    Attributes:
        not_restored: What a restore from the archive alone does not make, whatever the database has.
    """

    table: str
    rows: int
    sha256: str
    proven_at: str
    erased: int
    not_restored: tuple[str, ...]


@dataclass(frozen=True)
class ArchiveKept:
    """An archive; the manifest's hash stands for all of its files."""

    step: str
    folder: str
    manifest_sha256: str
    recipients: tuple[str, ...]
    tables: tuple[TableKept, ...]


@dataclass(frozen=True)
class HeldUntil:
    """Where what was removed may still be, and until when; `until` is a time or `unknown`, with the reason."""

    where: str
    until: str
    why: str


@dataclass(frozen=True)
class Receipt:
    """What a removal did.

    Attributes:
        whole: Every step of the plan is applied.
        tables: Dropped tables.
        columns: Dropped columns of `users`.
        exceptions: What a way back does not bring back.
        commands: How to restore, one a line.
        ledger_head: Hash and number of the newest entry of the ledger.
    """

    migration: str
    at: str
    plan_id: str
    plan_hash: str
    database: str
    whole: bool
    tables: tuple[str, ...]
    users: str
    columns: tuple[str, ...]
    steps: tuple[StepDone, ...]
    consents: tuple[Consent, ...]
    archives: tuple[ArchiveKept, ...]
    held: tuple[HeldUntil, ...]
    exceptions: tuple[str, ...]
    commands: Sequence[str]
    ledger_head: tuple[str, int]


def to_json(receipt: Receipt) -> str:
    """Give the receipt as data."""
    return json.dumps(asdict(receipt), indent=1, ensure_ascii=False) + "\n"


def render(receipt: Receipt) -> str:
    """Give the whole document; every value is escaped."""
    # Every command of the removal reaches this module, and one of them makes a page.
    from migrator.dashboards.html import environment  # noqa: PLC0415

    return environment().get_template("receipt.html.j2").render(receipt=receipt)
