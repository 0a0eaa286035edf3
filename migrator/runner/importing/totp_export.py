"""Hands the secrets of second factors over to whoever will check them, sealed to their public key.

A secret is in clear only in this process's memory, one user after the other.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any

from migrator.core.errors import ConflictError, RefusedError, UsageError
from migrator.core.sealed import HOW_TO, SUITE, Recipient
from migrator.legacy.connect import open_database
from migrator.legacy.second_factor.interface import Fault, Secret
from migrator.legacy.second_factor.registry import VAULTS
from migrator.legacy.second_factor.table import SecretsTable
from migrator.runner.importing.imports import SUBJECT, open_ends
from migrator.runner.private_file import put_in_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.config.people import TotpSection
    from migrator.core.users import LegacyUser
    from migrator.runner.context import Context
    from migrator.runner.importing.imports import Ends

ACTION = "export-totp"
FORMAT = "migrator-totp"
# As all of these libraries have it, and authenticator applications take for granted.
PARAMETERS = {"type": "totp", "algorithm": "SHA1", "digits": 6, "period": 30}


@dataclass
class Export:
    """What became of every user: read = exported + without a factor + not imported + closed.

    Attributes:
        recipient: SHA-256 of the public key (SubjectPublicKeyInfo), in hexadecimal.
        not_imported: Users with a factor whom Auther does not know.
        closed: Users whose secret could not be opened, by reason.
        sha256: Of the file, in hexadecimal; empty before it is written.
    """

    recipient: str
    read: int = 0
    exported: int = 0
    without_factor: int = 0
    not_imported: int = 0
    closed: Counter[Fault] = field(default_factory=Counter)
    sha256: str = ""

    @property
    def is_whole(self) -> bool:
        """Tell that the secret of everybody with a factor is in the file."""
        return not (self.not_imported or self.closed)

    def as_data(self) -> dict[str, Any]:
        """Give all of it; there is no secret in it."""
        return {**vars(self), "closed": {str(fault): n for fault, n in self.closed.items()}}


def read_recipient(path: Path) -> Recipient:
    """Read a public key.

    Raises:
        UsageError: The file cannot be read, or holds something else.
    """
    try:
        return Recipient(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint=HOW_TO) from None


def count(ctx: Context, recipient: Recipient) -> Export:
    """Open every secret as an export would, and write nothing.

    Raises:
        UsageError: `[legacy.totp]` is missing or does not fit the users table.
        ConflictError: Nobody was imported yet.
        RefusedError: No secret opens with these keys.
        DependencyError: The application's database failed.
    """
    with _opened(ctx) as exporter:
        made = Export(recipient.fingerprint)
        for _ in exporter.secrets(made):
            pass
    return made


def export(ctx: Context, recipient: Recipient, out: Path) -> Export:
    """Write everybody's secret, sealed, into a file (0600) that takes the place of an older one.

    Whoever kills it finds the older file, or none; the same again does all of it anew.

    Args:
        ctx: The surroundings.
        recipient: Whom it is sealed to.
        out: The file.

    Raises:
        UsageError: `[legacy.totp]` is missing or does not fit the users table.
        ConflictError: Nobody was imported yet, or another export is at work.
        RefusedError: No secret opens with these keys; nothing is written.
        DependencyError: The application's database or the disk failed.
    """
    began = {"file": out.name, "recipient": recipient.fingerprint}
    with (
        ctx.state.locks.held("export of second factors"),
        _opened(ctx) as exporter,
        ctx.state.ledger.recorded(SUBJECT, ACTION, **began) as facts,
    ):
        made = Export(recipient.fingerprint)
        hint = "make room, or give another file, and run the same again"
        with put_in_place(out, what="the file of secrets", hint=hint) as file:
            _write(file, exporter, recipient, made)
        facts.update(made.as_data())
    return made


def _write(file: IO[str], exporter: _Exporter, recipient: Recipient, made: Export) -> None:
    """Write a head that says how it is sealed, a line for each user, and how many they are."""
    digest = sha256()

    def put(line: dict[str, Any]) -> None:
        text = json.dumps(line) + "\n"
        digest.update(text.encode())
        file.write(text)

    put({"format": FORMAT, "version": 1, "hpke": SUITE, "recipient": made.recipient})
    for auther_id, record in exporter.secrets(made):
        sealed = recipient.seal(json.dumps(record), bound_to=f"{FORMAT} 1 {auther_id}")
        put({"user": auther_id, "sealed": sealed})
    put({"users": made.exported})
    made.sha256 = digest.hexdigest()


@contextmanager
def _opened(ctx: Context) -> Iterator[_Exporter]:
    settings = ctx.config.legacy
    totp = settings.totp
    if totp is None:
        raise UsageError(
            "where the application keeps TOTP secrets is not said",
            hint=f"write kind ({', '.join(VAULTS)}) and keys under [legacy.totp] in migrator.toml",
        )
    vault = VAULTS[totp.kind]([ctx.reveal(key) for key in totp.keys])
    with ExitStack() as opened:
        ends = opened.enter_context(open_ends(ctx, writing=False))
        connection = opened.enter_context(open_database(ctx.reveal(settings.dsn)))
        if not ends.identities.exists():
            raise ConflictError("nobody was imported yet", hint="migrator import run")
        yield _Exporter(ctx, ends, SecretsTable(connection, settings, vault), totp)


@dataclass(frozen=True)
class _Exporter:
    ctx: Context
    ends: Ends
    table: SecretsTable
    totp: TotpSection

    def secrets(self, made: Export) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the ids and secrets of those who have both, and count everybody.

        Raises:
            RefusedError: There are secrets, and none of them opens.
        """
        source = self.ends.source
        with self.ctx.progress.task("reading users", total=source.estimated_users()) as task:
            for page in source.pages(rows=self.ctx.config.import_.page_rows):
                made.read += len(page.users)
                yield from self._of_page(page.users, made)
                task.advance(len(page.users))
        wrong = made.closed[Fault.WRONG_KEY]
        if wrong and not made.exported:
            raise RefusedError(
                f"none of {wrong:,} secrets opens with the keys of legacy.totp",
                hint="give the key that the application has today, then those that it had before",
            )

    def _of_page(
        self, users: tuple[LegacyUser, ...], made: Export
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        holders = {user.pk: user for user in users if user.second_factor}
        made.without_factor += len(users) - len(holders)
        links = self.ends.identities.known(list(holders), []).links if holders else {}
        made.not_imported += len(holders) - len(links)
        found = self.table.secrets(list(links))
        for pk, link in links.items():
            secret = found.get(pk, Fault.NO_SECRET)
            if isinstance(secret, Secret):
                made.exported += 1
                yield link.auther_id, self._record(link.auther_id, holders[pk], secret)
            else:
                made.closed[secret] += 1

    def _record(self, auther_id: str, user: LegacyUser, secret: Secret) -> dict[str, Any]:
        return {
            "user": auther_id,
            **PARAMETERS,
            "secret": secret.base32,
            "issuer": self.totp.issuer or self.ctx.config.migration.name,
            "account": user.email or "",
        }
