"""Stops a pass that would shut out, delete or re-key too many people, before anything is written."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.errors import HeldError, UsageError
from migrator.runner.private_file import put_in_place
from migrator.runner.syncing.merge import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from migrator.config.sync import SyncSection
    from migrator.runner.syncing.merge import Step

_LOSSES = frozenset({Kind.BAN, Kind.DELETE})
_PASSWORDS = frozenset({Kind.PASSWORD})
_ROLES = frozenset({Kind.ROLE})
_CHECK = {
    _LOSSES: "was a table emptied or restored, or deleted_at or locked_at set for many?",
    _PASSWORDS: "was encrypted_password blanked, cut, or written by a script?",
    _ROLES: "was the table of roles emptied, or [import.roles] granted to these users at Auther?",
}


@dataclass
class Harm:
    """Who would be harmed by a pass, and how."""

    kinds: dict[str, frozenset[Kind]] = field(default_factory=dict)

    def add(self, steps: Iterable[Step]) -> None:
        """Take steps in."""
        self.kinds.update((step.pk, step.kinds) for step in steps if step.kinds)

    def covers(self, step: Step) -> bool:
        """Tell that this step was counted when the brakes were asked."""
        return step.kinds <= self.kinds.get(step.pk, frozenset())

    def count(self, of: frozenset[Kind]) -> int:
        """Count the users to whom one of these happens."""
        return sum(1 for kinds in self.kinds.values() if kinds & of)

    def beyond(self, released: Harm) -> Harm:
        """Give what was not released."""
        left = {
            pk: kinds - released.kinds.get(pk, frozenset()) for pk, kinds in self.kinds.items()
        }
        return Harm({pk: kinds for pk, kinds in left.items() if kinds})

    def digest(self) -> str:
        """Give a hash of exactly these users and kinds, 16 hexadecimal digits."""
        lines = [json.dumps([pk, sorted(kinds)]) for pk, kinds in sorted(self.kinds.items())]
        return sha256("\n".join(lines).encode()).hexdigest()[:16]


def excesses(harm: Harm, settings: SyncSection, *, users: int) -> list[str]:
    """Say which brakes hold, in words; a single user is never held."""
    losses = max(1, min(settings.max_bans, int(settings.max_bans_share * users)))
    passwords = max(1, int(settings.max_passwords_share * users))
    found = []
    for what, of, limit in (
        ("ban or delete", _LOSSES, losses),
        ("change the password of", _PASSWORDS, passwords),
        ("take roles from", _ROLES, passwords),
    ):
        count = harm.count(of)
        if count > limit:
            found.append(
                f"it would {what} {count:,} of {users:,} users, more than {limit:,}: {_CHECK[of]}"
            )
    return found


def enough_users(harm: Harm, settings: SyncSection) -> int | None:
    """Give a number of users from which on no brake holds, None where there is none."""
    counts = (
        (harm.count(_LOSSES), settings.max_bans_share),
        (harm.count(_PASSWORDS), settings.max_passwords_share),
        (harm.count(_ROLES), settings.max_passwords_share),
    )
    needed = max((count / share for count, share in counts if share), default=0)
    # Shares of whole numbers may be rounded down to less than what they were made of.
    users = math.ceil(needed) + 1
    return None if excesses(harm, settings, users=users) else users


class Brake:
    """The brake of one migration; what it holds is listed in a file, readable by its owner only."""

    def __init__(self, settings: SyncSection, file: Path) -> None:
        self._settings = settings
        self._file = file

    def check(self, harm: Harm, *, users: int, release: str = "", full: bool = False) -> None:
        """Let a pass go on, or hold it.

        Args:
            harm: All that it would do.
            users: How many users were imported.
            release: The hash of a set that somebody looked at; it and nothing else is let through.
            full: The pass looks at all users.

        Raises:
            HeldError: Too much harm; nothing was written but the list of whom it concerns.
            UsageError: What is held has another hash.
        """
        released = self._released(release) if release else Harm()
        found = excesses(harm.beyond(released), self._settings, users=users)
        if not found:
            return
        self._write(harm)
        raise HeldError(
            f"the brake holds this pass, nothing was written: {'; '.join(found)}",
            hint=f"look at {self._file.name}; if all of it is meant:"
            f" migrator import sync{' --full' if full else ''} --release-brake {harm.digest()}",
        )

    def clear(self) -> None:
        """Forget what was held, once a pass has gone through."""
        self._file.unlink(missing_ok=True)

    def _released(self, digest: str) -> Harm:
        held = self._read()
        if held.kinds and held.digest() != digest:
            raise UsageError(
                f"what is held has the hash {held.digest()}, not {digest}",
                hint=f"look at {self._file.name} again",
            )
        return held

    def _read(self) -> Harm:
        if not self._file.exists():
            return Harm()
        lines = self._file.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        return Harm({row["id"]: frozenset(map(Kind, row["kinds"])) for row in rows})

    def _write(self, harm: Harm) -> None:
        rows: list[dict[str, object]] = [
            {"id": pk, "kinds": sorted(kinds)} for pk, kinds in sorted(harm.kinds.items())
        ]
        write_private(self._file, rows)


def write_private(path: Path, rows: Iterable[dict[str, object]]) -> None:
    """Write JSON lines into a file (0600) that takes the place of the old one at once.

    Raises:
        DependencyError: It cannot be written.
    """
    hint = "make room, then run the same again"
    with put_in_place(path, what="the list", hint=hint) as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
