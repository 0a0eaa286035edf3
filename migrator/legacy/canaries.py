"""Tells with which pepper a known password verifies against the legacy hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.legacy.asking import Questions, quoted, quoted_or_null
from migrator.schemes.registry import claimed_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.legacy.connect import Connection
    from migrator.legacy.devise import DeviseSource
    from migrator.schemes.interface import Declared


@dataclass(frozen=True)
class CanaryResult:
    """What came of one canary.

    Attributes:
        pepper: Id of the pepper that it verifies with, empty when it does not.
        fault: Why it does not verify, empty when it does.
    """

    email: str
    pepper: str = ""
    fault: str = ""


def try_canary(
    connection: Connection,
    source: DeviseSource,
    *,
    email: str,
    password: str,
    peppers: Mapping[str, bytes],
    declared: Sequence[Declared] = (),
) -> CanaryResult:
    """Look a canary up as the login form does and try the peppers in their order.

    Args:
        connection: To the application's database.
        source: The users, opened.
        email: As typed.
        password: As typed.
        peppers: By id, in the order to try; `none` is an empty one.
        declared: What bare digests are, by the operator's word.
    """
    columns = source.columns
    rows = Questions(connection).rows(
        "login",
        {"email": source.looked_up(email)},
        pk=quoted(columns.parts["id"]),
        email=quoted(columns.parts["email"]),
        password=quoted(columns.parts["encrypted_password"]),
        salt=quoted_or_null(columns.column("salt"), "text"),
        users=columns.table.relation,
    )
    if not rows:
        return CanaryResult(email, fault="no such user")
    value = rows[0]["password"]
    if not value:
        return CanaryResult(email, fault="the account has no password")
    claim = claimed_by(value, rows[0]["salt"], declared)
    if claim is None:
        return CanaryResult(email, fault="no scheme knows the stored value")
    for name, pepper in peppers.items():
        if claim.verify(value, password.encode(), pepper=pepper):
            return CanaryResult(email, pepper=name)
    return CanaryResult(email, fault="wrong password, or a pepper that is not configured")
