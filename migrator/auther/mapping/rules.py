"""What decides how users become rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from migrator.auther.mapping.roles import Grants
from migrator.core.envelope import NO_PEPPER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrator.core.resolutions import Resolution
    from migrator.schemes.interface import Declared


@dataclass(frozen=True)
class Rules:
    """How users are mapped; the same rules give the same rows at any time.

    Attributes:
        derived_ids: Ids are derived from integer keys; otherwise the legacy key is the id.
        unlock_in_ms: How long a lock holds, None for ever.
        mark: `ids.mark_key` of the key.
        now_ms: The time at which locks are judged, Unix milliseconds; fixed for a migration.
        peppers: Ids for the envelope, in the order in which they are tried.
        declared: What bare digests are, by the operator's word.
        providers: Auther's names of providers by OmniAuth's; others keep theirs.
        email_loses: Given key, address and normalised address, tells that the row may not have it.
        apart: Keys and addresses of users that only `to_rows` itself may map; None is everybody.
        email_claimed: Given a normalised address, tells that some legacy user has it in some
            spelling; asked only about addresses in resolutions.
        email_resembles: Given a normalised address, tells that it looks like another user's.
        resolutions: What a person decided, by legacy key.
        grants: What roles become.
        contested_identities: (provider, uid) that several users claim.
        contested_usernames: User names, in lower case, that several users have.
    """

    namespace: str
    source: str
    key: bytes = field(repr=False)
    mark: bytes = field(repr=False)
    derived_ids: bool
    verified_when: Literal["confirmed", "always", "never"]
    unlock_in_ms: int | None
    soft_deleted: Literal["ban", "reject"]
    unsupported_hash: Literal["reject", "without_credential"]
    now_ms: int
    peppers: tuple[str, ...] = (NO_PEPPER,)
    declared: tuple[Declared, ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict)
    email_loses: Callable[[str, str, str], bool] = lambda _pk, _email, _wanted: False
    apart: frozenset[str] | None = None
    email_claimed: Callable[[str], bool] = lambda _email: False
    email_resembles: Callable[[str], bool] = lambda _email: False
    resolutions: Mapping[str, Resolution] = field(default_factory=dict)
    grants: Grants = field(default_factory=Grants)
    contested_identities: frozenset[tuple[str, str]] = frozenset()
    contested_usernames: frozenset[str] = frozenset()
