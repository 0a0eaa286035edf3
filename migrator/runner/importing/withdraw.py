"""Takes imported users out of Auther again, as long as they have not used it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.auther.interface import CREDENTIAL
from migrator.core import ids
from migrator.core.envelope import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrator.auther.interface import AccountRow, Target
    from migrator.legacy.identity import Claim, IdentityTable

SHOWN = 100


@dataclass(frozen=True)
class Trace:
    """A user who did something at Auther since the import.

    Attributes:
        signs: What was found, e.g. `session`, `password changed`.
    """

    pk: str
    auther_id: str
    signs: tuple[str, ...]


@dataclass
class Withdrawal:
    """What a rollback removed and left.

    Attributes:
        removed: Users taken out of Auther.
        absent: Claims whose user was not at Auther (any more).
        kept: Users who signed in since, with everything they have.
        shown: The first of those.
    """

    removed: int = 0
    absent: int = 0
    kept: int = 0
    shown: list[Trace] = field(default_factory=list)

    def keep(self, traces: list[Trace]) -> None:
        """Count users who stay."""
        self.kept += len(traces)
        self.shown.extend(traces[: max(0, SHOWN - len(self.shown))])


class Withdrawer:
    """Walks over the import's claims; each page is removed at Auther first, then forgotten."""

    def __init__(self, target: Target, identities: IdentityTable, *, mark: bytes) -> None:
        self._target = target
        self._identities = identities
        self._mark = mark

    def survey(self, *, rows: int) -> Withdrawal:
        """Find out who would have to stay; changes nothing."""
        found = Withdrawal()
        for page in self._identities.pages(rows=rows):
            there = len(self._target.read([claim.auther_id for claim, _ in page]))
            traces = self._traces(page)
            found.removed += there - len(traces)
            found.absent += len(page) - there
            found.keep(traces)
        return found

    def remove(
        self, *, rows: int, before_page: Callable[[], None], advance: Callable[[int], None]
    ) -> Withdrawal:
        """Remove everybody without traces.

        If the process dies, the next run goes on: a claim goes only after its user has gone.
        """
        done = Withdrawal()
        for page in self._identities.pages(rows=rows):
            before_page()
            traces = self._traces(page)
            stay = {trace.auther_id for trace in traces}
            leave = [claim.auther_id for claim, _ in page if claim.auther_id not in stay]
            removed = self._target.remove(leave)
            self._identities.release(leave)
            done.removed += removed
            done.absent += len(leave) - removed
            done.keep(traces)
            advance(len(page))
        return done

    def _traces(self, page: list[tuple[Claim, str]]) -> list[Trace]:
        stored = self._target.read([claim.auther_id for claim, _ in page])
        used = self._target.tables_in_use(list(stored))
        found = []
        for claim, home in page:
            there = stored.get(claim.auther_id)
            if there is None:
                continue
            signs = [*used.get(claim.auther_id, ()), *self._changes(there.accounts)]
            if there.is_privileged:
                signs.append(f"role {there.user.role}")
            if home != "legacy":
                signs.append("moved to Auther")
            if signs:
                found.append(Trace(claim.pk, claim.auther_id, tuple(signs)))
        return found

    def _changes(self, accounts: tuple[AccountRow, ...]) -> Iterator[str]:
        for account in accounts:
            if account.id != self._id_of(account):
                yield f"account added at {account.provider_id}"
            elif account.provider_id == CREDENTIAL and not _is_imported(account):
                yield "password changed or renewed"

    def _id_of(self, account: AccountRow) -> str:
        return ids.account_id(
            self._mark,
            owner=account.user_id,
            provider=account.provider_id,
            subject=account.account_id,
        )


def _is_imported(account: AccountRow) -> bool:
    return (account.password or "").startswith(PREFIX)
