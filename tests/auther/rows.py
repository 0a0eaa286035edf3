"""Rows as the import writes them, small."""

from __future__ import annotations

from migrator.auther.interface import AccountRow, Mapped, TupleRow, UserRow


def row(name: str, *, email: str = "", username: str | None = None) -> Mapped:
    """A user with a password account."""
    user = UserRow(
        name, name, email or f"{name}@x.org", 1, None, 1, 2, "user", 0, None, None, username, None
    )
    account = AccountRow(f"a-{name}", name, "credential", name, "value", 1, 2)
    return Mapped(name, user, (account,), None, None, ())


def at(provider: str, subject: str, *, owner: str) -> AccountRow:
    """An account at a provider."""
    return AccountRow(f"{provider}-{subject}-{owner}", subject, provider, owner, None, 1, 2)


def role(owner: str, relation: str) -> TupleRow:
    """A role."""
    tuple_id = f"tpl_{owner}_{relation}"
    return TupleRow(tuple_id, "app", None, "*", relation, "user", owner, None, None, 1, 2)
