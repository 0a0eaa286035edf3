"""Writes one change into the application: one transaction with the note that it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import errors

from migrator.core.clock import iso
from migrator.core.emails import normalise
from migrator.core.errors import DependencyError
from migrator.core.texts import storable
from migrator.legacy.users_write import fingerprint
from migrator.legacy.written_back import CLOSED, Settling
from migrator.runner.writing_back.newcomers import Newcomers
from migrator.runner.writing_back.outcome import (
    CONCERNS,
    ENDS_TOKENS,
    MOVES_HOME,
    Kind,
    Outcome,
    State,
    Verdict,
)

if TYPE_CHECKING:
    from migrator.auther.plugin.events import Event
    from migrator.config.write_back import WriteBackSection
    from migrator.core.clock import Clock
    from migrator.legacy.users_write import HeldRow, UsersTable
    from migrator.legacy.written_back import HeldLink, WrittenBack
    from migrator.runner.writing_back.material import Material

# What tells that somebody else is at the row; giving way and coming again is all it takes.
_BUSY = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
_REFUSED = (errors.IntegrityError, errors.DataError, errors.RaiseException)
_OUR_LOCK = ("9999-", "9998-12-31")
# Longer than any token of a deleted user can still be good.
_TOKENS_LIVE_MS = 30 * 24 * 3_600_000


@dataclass(frozen=True)
class Tables:
    """The application's side."""

    log: WrittenBack
    users: UsersTable
    source: str


class Applier:
    """Gives every change exactly one outcome.

    Args:
        tables: The application's side.
        material: Opens sealed passwords.
        settings: `[write_back]`.
        clock: For `updated_at`.
        in_legacy: The stage is `legacy`: whoever has a password there keeps it, and nobody moves to
            Auther before the change is in the application.
    """

    def __init__(
        self,
        tables: Tables,
        material: Material,
        settings: WriteBackSection,
        clock: Clock,
        *,
        in_legacy: bool,
    ) -> None:
        self._tables = tables
        self._material = material
        self._settings = settings
        self._clock = clock
        self._in_legacy = in_legacy
        self._newcomers = Newcomers(tables.log, tables.users, material, settings.defaults)

    def apply(self, event: Event) -> Outcome | None:
        """Write a change, unless it is written already.

        Killed at any point, either all of it is written, with the note, or nothing.

        Returns:
            None for what is none of ours.

        Raises:
            DependencyError: The database failed; nothing was written.
        """
        if event.kind not in CONCERNS:
            return None
        try:
            with self._tables.log.transaction():
                return self._settle(event)
        except DependencyError as error:
            if not isinstance(error.__cause__, (*_BUSY, *_REFUSED)):
                raise
            busy = isinstance(error.__cause__, _BUSY)
            return self._put_aside(event, error.__cause__, busy=busy)

    def _settle(self, event: Event) -> Outcome | None:
        log = self._tables.log
        state = log.states_of([event.id]).get(event.id)
        if state in {State.DONE, State.LOST} or (state is None and event.acknowledged):
            return None
        link = log.link(event.user_id)
        if link is not None and link.source != self._tables.source:
            return None
        if event.kind == Kind.DELETE:
            log.bury(event.user_id, until_ms=event.at_ms + _TOKENS_LIVE_MS)
        verdict = self._unlinked(event) if link is None else self._linked(event, link)
        pk = link.pk if link else verdict.pk
        log.put(_settling(event, verdict, pk))
        return verdict.outcome

    def _put_aside(self, event: Event, cause: BaseException, *, busy: bool) -> Outcome:
        outcome = Outcome.ROW_BUSY if busy else Outcome.REFUSED_BY_DATABASE
        detail = getattr(cause, "sqlstate", None) or ""
        with self._tables.log.transaction():
            self._tables.log.put(_settling(event, Verdict(outcome, detail), None))
        return outcome

    def _unlinked(self, event: Event) -> Verdict:
        if event.kind == Kind.SIGN_UP:
            if not self._settings.new_users:
                return Verdict(Outcome.NOT_WANTED)
            return self._newcomers.add(event, at=self._now())
        if self._tables.log.has_held(event.user_id, kind=Kind.SIGN_UP):
            return Verdict(Outcome.WAITS_FOR_SIGN_UP)
        return Verdict(Outcome.UNKNOWN_USER)

    def _linked(self, event: Event, link: HeldLink) -> Verdict:
        log, kind = self._tables.log, Kind(event.kind)
        verdict = self._written(event, link)
        if not verdict.is_change:
            return verdict
        if kind in ENDS_TOKENS:
            log.end_tokens(event.user_id, at_ms=event.at_ms)
        moves = kind in MOVES_HOME and not link.pinned
        is_here = verdict.outcome is Outcome.WRITTEN
        if moves and (is_here or not (self._in_legacy or verdict.outcome is Outcome.SUPERSEDED)):
            log.move(event.user_id)
        return verdict

    def _written(self, event: Event, link: HeldLink) -> Verdict:
        concerns = CONCERNS[Kind(event.kind)]
        if self._tables.log.is_overtaken(event.id, auther_id=event.user_id, concerns=concerns):
            return Verdict(Outcome.SUPERSEDED)
        if event.kind == Kind.REVOKE:
            return Verdict(Outcome.WRITTEN)
        row = self._tables.users.hold(link.pk)
        if row is None:
            is_done = event.kind == Kind.DELETE
            return Verdict(Outcome.WRITTEN if is_done else Outcome.ROW_GONE)
        return self._changed(event, link, row)

    def _changed(self, event: Event, link: HeldLink, row: HeldRow) -> Verdict:
        if row.privileged:
            return Verdict(Outcome.PRIVILEGED)
        if event.kind in {Kind.PASSWORD, Kind.SIGN_UP}:
            return self._password(event, link, row)
        if event.kind == Kind.EMAIL:
            return self._email(event, link.pk, row)
        return self._access(event, link.pk, row)

    def _password(self, event: Event, link: HeldLink, row: HeldRow) -> Verdict:
        if link.pinned:
            return Verdict(Outcome.PINNED)
        if fingerprint(row.password) != link.fingerprint:
            # In stage legacy the application is where people are told to sign in, and did change it.
            kept = Outcome.LEGACY_KEPT if self._in_legacy else Outcome.LEGACY_CHANGED
            return Verdict(kept)
        value = self._material.open(event)
        if isinstance(value, Verdict):
            unset = event.kind == Kind.SIGN_UP and value.outcome is Outcome.SEALED_MISSING
            return Verdict(Outcome.NO_PASSWORD) if unset else value
        self._tables.users.set_password(link.pk, value, at=self._now())
        written = self._tables.users.hold(link.pk)
        known = fingerprint(written.password) if written else None
        self._tables.log.set_fingerprint(event.user_id, known)
        return Verdict(Outcome.WRITTEN)

    def _email(self, event: Event, pk: str, row: HeldRow) -> Verdict:
        email = normalise(event.email or "")
        if not email or not storable(email):
            return Verdict(Outcome.NO_EMAIL)
        is_change = email != normalise(row.email or "")
        # Written now it would count as proven here. The proof is a change of its own, and comes over then.
        if is_change and not event.email_verified and self._tables.users.notes_proofs:
            return Verdict(Outcome.EMAIL_UNPROVEN, is_change=False)
        if is_change and not self._renamed(pk, row, email):
            return Verdict(Outcome.EMAIL_COLLISION)
        if event.email_verified and row.confirmed_at is None:
            self._tables.users.confirm(pk, at=self._now())
        return Verdict(Outcome.WRITTEN, is_change=is_change)

    def _renamed(self, pk: str, row: HeldRow, email: str) -> bool:
        """Write an address, unless another row has it."""
        users = self._tables.users
        if users.is_taken(email, by_other_than=pk):
            return False
        try:
            with self._tables.log.attempt():
                users.set_email(pk, row, email, at=self._now())
        except DependencyError as error:
            if isinstance(error.__cause__, errors.UniqueViolation):
                return False
            raise
        return True

    def _access(self, event: Event, pk: str, row: HeldRow) -> Verdict:
        """Keep out, or let in again, whom Auther does; a row is never deleted."""
        users, wanted = self._tables.users, self._settings.ban
        if event.kind == Kind.UNBAN:
            if self._is_our_lock(event, row):
                users.unlock(pk, at=self._now())
            return Verdict(Outcome.WRITTEN)
        if event.kind == Kind.DELETE:
            wanted_then = self._settings.delete
            if wanted_then == "soft_delete" and users.soft_delete(pk, at=self._now()):
                return Verdict(Outcome.WRITTEN)
            wanted = "ignore" if wanted_then == "ignore" else "lock"
        if wanted == "ignore":
            return Verdict(Outcome.NOT_WANTED)
        if users.locked_by is None:
            return Verdict(Outcome.NO_COLUMN)
        users.lock(pk, at=self._now())
        closes = users.locked_by == "active" and row.active is not None
        return Verdict(Outcome.WRITTEN, CLOSED if closes else "")

    def _is_our_lock(self, event: Event, row: HeldRow) -> bool:
        if self._tables.users.locked_by == "active":
            return self._tables.log.closed_by_us(event.id, auther_id=event.user_id)
        return (row.locked_at or "").startswith(_OUR_LOCK)

    def _now(self) -> str:
        return iso(self._clock.now())


def _settling(event: Event, verdict: Verdict, pk: str | None) -> Settling:
    kind, outcome = Kind(event.kind), verdict.outcome
    return Settling(
        event.id,
        event.user_id,
        pk,
        kind,
        CONCERNS[kind],
        event.at_ms,
        outcome,
        outcome.state,
        verdict.detail,
    )
