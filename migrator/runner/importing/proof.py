"""Says whether known passwords would sign in at Auther, by checking them against what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from migrator.auther.interface import CREDENTIAL, WITHHELD
from migrator.core.emails import auther_accepts, normalise
from migrator.core.envelope import NO_PEPPER, Envelope, decode
from migrator.schemes.native import is_native, verify_native
from migrator.schemes.registry import SCHEMES, verify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.auther.interface import Stored, Target
    from migrator.legacy.identity import IdentityTable
    from migrator.runner.canaries import Canary


class Answer(StrEnum):
    """What Auther would say to a sign-in."""

    SIGNS_IN = "signs in"
    WRONG_PASSWORD = "wrong password"  # noqa: S105
    NOT_THERE = "not at Auther"
    NO_CREDENTIAL = "no password at Auther"
    PINNED = "pinned to the legacy path"
    REFUSED_ADDRESS = "Auther's sign-in refuses this address"
    UNVERIFIED = "right password, but the address is not verified"
    BANNED = "right password, but banned"
    UNKNOWN_HASH = "the stored value is of no known scheme"
    WITHHELD = "not this migration's user at Auther, or one with a role there: not looked at"


@dataclass(frozen=True)
class Proof:
    """What was found for one canary."""

    email: str
    answer: Answer
    detail: str = ""

    @property
    def signs_in(self) -> bool:
        """Tell whether this password signs in."""
        return self.answer is Answer.SIGNS_IN


class Prover:
    """Checks canaries as Auther with the plugin would."""

    def __init__(
        self,
        target: Target,
        identities: IdentityTable | None,
        peppers: Mapping[str, bytes],
        *,
        now_ms: int,
    ) -> None:
        self._target = target
        self._identities = identities
        self._peppers = peppers
        self._now_ms = now_ms

    def prove(self, canaries: Sequence[Canary]) -> list[Proof]:
        """Check canaries, in their order."""
        owners = self._target.owners([_address(canary) for canary in canaries])
        stored = self._target.read(list(owners.values()))
        pinned = self._pinned(list(owners.values()))
        proofs = []
        for canary in canaries:
            user_id = owners.get(_address(canary), "")
            answer, detail = self._answer(canary, stored.get(user_id), pinned.get(user_id))
            proofs.append(Proof(canary.email, answer, detail))
        return proofs

    def _pinned(self, user_ids: list[str]) -> dict[str, str]:
        if self._identities is None:
            return {}
        owners = self._identities.known([], user_ids).owners
        claims = self._identities.claims([pk for _, pk in owners.values()])
        return {c.auther_id: c.pinned for c in claims.values() if c.pinned is not None}

    def _answer(
        self, canary: Canary, stored: Stored | None, pinned: str | None
    ) -> tuple[Answer, str]:
        if stored is None:
            return Answer.NOT_THERE, ""
        if pinned is not None:
            return Answer.PINNED, pinned
        if not auther_accepts(stored.user.email):
            return Answer.REFUSED_ADDRESS, ""
        value = next((a.password for a in stored.accounts if a.provider_id == CREDENTIAL), None)
        if not value:
            return Answer.NO_CREDENTIAL, ""
        return self._check(canary, stored, value)

    def _check(self, canary: Canary, stored: Stored, value: str) -> tuple[Answer, str]:
        if value == WITHHELD:
            return Answer.WITHHELD, ""
        if not is_native(value) and _envelope(value) is None:
            return Answer.UNKNOWN_HASH, ""
        pepper = self._fitting(value, canary.password)
        if pepper is None:
            return Answer.WRONG_PASSWORD, ""
        if self._is_banned(stored):
            return Answer.BANNED, stored.user.ban_reason or ""
        if not stored.user.email_verified:
            return Answer.UNVERIFIED, ""
        return Answer.SIGNS_IN, pepper

    def _fitting(self, value: str, password: str) -> str | None:
        """Say with what the password fits, None when it does not."""
        if is_native(value):
            return "Auther's own hash" if verify_native(value, password) else None
        envelope = _envelope(value)
        if envelope is None:
            return None
        for name in envelope.peppers:
            pepper = b"" if name == NO_PEPPER else self._peppers.get(name)
            if pepper is not None and verify(envelope, password.encode(), pepper=pepper):
                return f"{envelope.scheme}, pepper {name}"
        return None

    def _is_banned(self, stored: Stored) -> bool:
        expires = stored.user.ban_expires
        return bool(stored.user.banned) and (expires is None or expires > self._now_ms)


def _address(canary: Canary) -> str:
    return normalise(canary.email)


def _envelope(value: str) -> Envelope | None:
    """Read an envelope of a known scheme, None for anything else."""
    try:
        envelope = decode(value)
    except ValueError:
        return None
    return envelope if envelope.scheme in SCHEMES else None
