"""A role becomes access tuples that Auther itself would have written."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from pydantic import ValidationError

from migrator.auther.interface import TupleRow
from migrator.auther.mapping.roles import Grants, tuple_id
from migrator.config.people import SYSTEM_TYPES, Grant, GrantsSection
from tests.auther.mapping.test_map import USER, mapped

TYPE = "client_shop:organization"
GRANTS = Grants.of(
    GrantsSection(
        grants=(
            Grant(role="editor", entity_type=TYPE, relation="editor"),
            Grant(role="editor", entity_type="client_shop:shelf", entity_id="7", relation="user"),
            Grant(role="moderator:Forum", entity_type="client_shop:forum", entity_id="{id}",
                  relation="moderator"),
        ),
        ignore=("member", "author:Book"),
    )
)  # fmt: skip


def made(*roles: str) -> set[tuple[str, str, str]]:
    rows = GRANTS.tuples(roles, user_id="u1", at_ms=1_800_000_000_999)
    return {(row.entity_type, row.entity_id, row.relation) for row in rows}


def test_a_tuple_is_written_as_auther_writes_it_with_times_in_seconds() -> None:
    (row,) = [r for r in GRANTS.tuples(["editor"], user_id="u1", at_ms=1_800_000_000_999)
              if r.relation == "editor"]  # fmt: skip
    digest = sha256(b"client_shop:organization|*|editor|user|u1|").hexdigest()
    assert row == TupleRow(
        f"tpl_{digest[:40]}", TYPE, None, "*", "editor", "user", "u1", None, None,
        1_800_000_000, 1_800_000_000,
    )  # fmt: skip


def test_a_role_may_become_several_and_two_roles_the_same_one() -> None:
    assert made("editor", "editor") == {
        (TYPE, "*", "editor"),
        ("client_shop:shelf", "7", "user"),
    }


def test_a_role_on_one_thing_is_granted_on_that_thing_only() -> None:
    assert made("moderator:Forum:12") == {("client_shop:forum", "12", "moderator")}
    assert made("moderator:Forum") == {("client_shop:forum", "*", "moderator")}
    assert made("moderator", "moderator:Shop:12") == set()


def test_what_becomes_nothing_is_named_unless_it_is_ignored() -> None:
    roles = ["editor", "member", "author:Book:3", "owner", "moderator:Shop:12"]
    assert GRANTS.unknown(roles) == ["owner", "moderator:Shop"]


def test_ids_tell_every_part_apart() -> None:
    ids = {
        tuple_id("a", "b", "c", "d"),
        tuple_id("a", "b", "d", "c"),
        tuple_id("ab", "", "c", "d"),
        tuple_id("a", "b", "c", "e"),
    }
    assert len(ids) == 4


@pytest.mark.parametrize("entity_type", sorted(SYSTEM_TYPES))
def test_no_role_becomes_a_power_over_auther(entity_type: str) -> None:
    with pytest.raises(ValidationError, match="Auther's own"):
        Grant(role="admin", entity_type=entity_type, relation="admin")


def test_a_bar_in_a_part_is_refused() -> None:
    with pytest.raises(ValidationError, match="ambiguous"):
        Grant(role="admin", entity_type="a|b", relation="admin")


@pytest.mark.parametrize("role", ["admin", "superadmin", "owner"])
def test_whoever_is_admin_in_the_application_is_a_user_at_auther(role: str) -> None:
    found = mapped(replace(USER, roles=(role,)))
    assert (found.user.role, found.tuples) == ("user", ())
