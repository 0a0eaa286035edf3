"""How a table is taken from the application, and each reason why that would prove nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.core.access import Access, Role, SchemaRights
from migrator.core.catalog import Column, Grant, Sequence, Table
from migrator.sqlgen.revocation import Revocation, revocation_of

COLUMN = Column("id", "bigint", "", "", True, "", "", "", "", "", None, (), "")
TABLE = Table("app", "logins", 1, 0, "dba", "p", (), (), False, False, "d", "", "")
SHOP = Role("shop", exists=True, superuser=False, member_of=(), hides_errors=False)
ACCESS = Access(
    acting="deploy",
    superuser=False,
    acts_as=("guard", "shop"),
    roles=(SHOP,),
    guard_role="guard",
    guard_role_exists=True,
    rights=(
        SchemaRights("guard", "app", create=True, usage=True),
        SchemaRights("shop", "app", create=True, usage=True),
    ),
    signed_in=("shop", "report"),
)
OWNED = replace(TABLE, owner="shop")


def grants(*names: str) -> tuple[Grant, ...]:
    return tuple(Grant(name, "SELECT", grantable=False) for name in names)


def with_role(**changes: object) -> Access:
    return replace(ACCESS, roles=(replace(SHOP, **changes),))  # type: ignore[arg-type]


def test_only_the_applications_roles_and_public_lose_what_they_have() -> None:
    table = replace(TABLE, grants=grants("dba", "shop", "report", ""))
    assert revocation_of(table, ACCESS) == Revocation(("", "shop"), "", ())


def test_rights_on_a_column_or_a_sequence_alone_count_too() -> None:
    column = replace(COLUMN, grants=grants("shop"))
    sequence = Sequence("s", "id", "serial", "bigint", 1, 1, 1, 9, 1, False, "", grants(""))
    table = replace(TABLE, columns=(column,), sequences=(sequence,))
    assert revocation_of(table, ACCESS).grantees == ("", "shop")


def test_a_table_of_the_applications_role_goes_to_the_guard_role() -> None:
    table = replace(OWNED, grants=grants("shop", "report"))
    assert revocation_of(table, ACCESS) == Revocation((), "guard", ())


def test_so_does_one_of_a_role_that_the_applications_role_may_act_as() -> None:
    access = replace(with_role(member_of=("dba",)), acts_as=("guard", "dba"))
    access = replace(access, rights=(*access.rights, SchemaRights("dba", "app", True, True)))
    assert revocation_of(TABLE, access).new_owner == "guard"


ESCAPES = {
    "there is no role shop": with_role(exists=False),
    "shop is a superuser": with_role(superuser=True),
    "shop is a member of report, which may use it": with_role(member_of=("report",)),
    "shop is a member of pg_read_all_data": with_role(member_of=("pg_read_all_data",)),
    "shop is a member of pg_write_all_data": with_role(member_of=("pg_write_all_data",)),
    "shop has a log level of its own": with_role(hides_errors=True),
    "names no role that the application signs in with (connected now: shop, report)": replace(
        ACCESS, roles=()
    ),
    "(connected now: nobody)": replace(ACCESS, roles=(), signed_in=()),
}


@pytest.mark.parametrize(("reason", "access"), ESCAPES.items())
def test_a_role_that_would_go_on_using_it_leaves_the_window_unproven(
    reason: str, access: Access
) -> None:
    found = revocation_of(replace(TABLE, grants=grants("shop", "report")), access)
    assert (found.grantees, found.new_owner) == ((), "")
    assert [reason in said for said in found.unproven] == [True]


def test_a_role_that_the_application_may_act_as_is_no_escape_when_it_is_listed_too() -> None:
    both = (replace(SHOP, member_of=("report",)), replace(SHOP, name="report"))
    table = replace(TABLE, grants=grants("report"))
    assert revocation_of(table, replace(ACCESS, roles=both)) == Revocation(("report",), "", ())


def rights(**changes: bool) -> Access:
    guard = replace(ACCESS.rights[0], **changes)
    return replace(ACCESS, rights=(guard, ACCESS.rights[1]))


OBSTACLES = {
    "shop, the application's, owns it, so that a revoke does nothing: "
    'CREATE ROLE "guard" NOLOGIN': replace(ACCESS, guard_role_exists=False),
    "shop is a member of the guard role guard": with_role(member_of=("guard",)),
    'GRANT USAGE, CREATE ON SCHEMA "app" TO "guard"': rights(usage=False),
    'CREATE ON SCHEMA "app" TO "guard"': rights(create=False),
    'GRANT "guard" TO "deploy", or act as a superuser': replace(ACCESS, acts_as=("shop",)),
    'GRANT "shop" TO "deploy", or act as a superuser': replace(ACCESS, acts_as=("guard",)),
    'shop could not get it back: GRANT CREATE ON SCHEMA "app" TO "shop"': replace(
        ACCESS, rights=ACCESS.rights[:1]
    ),
}


@pytest.mark.parametrize(("reason", "access"), OBSTACLES.items())
def test_what_keeps_a_table_from_going_and_coming_back_is_said_as_the_statement_that_mends_it(
    reason: str, access: Access
) -> None:
    found = revocation_of(OWNED, access)
    assert (found.grantees, found.new_owner) == ((), "")
    assert [reason in said for said in found.unproven] == [True]


def test_what_a_role_escapes_by_is_told_beside_what_keeps_the_table() -> None:
    access = replace(with_role(hides_errors=True), guard_role_exists=False)
    found = revocation_of(OWNED, access).unproven
    assert [said.split()[1] for said in found] == ["has", "the"]


def test_a_superuser_needs_no_membership_and_the_guard_role_no_right_to_create() -> None:
    access = replace(rights(create=False), superuser=True, acts_as=())
    assert revocation_of(OWNED, access) == Revocation((), "guard", ())
    nothing = replace(access, rights=())
    assert "GRANT USAGE" in revocation_of(OWNED, nothing).unproven[0]
