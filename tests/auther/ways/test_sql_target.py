"""What every SQL database does alike: a file, and a real libSQL server over HTTP."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from migrator.auther.interface import Change, Stored, TargetChangedError
from migrator.auther.ways.changing import steps_of
from migrator.auther.ways.database import Each, Run
from migrator.auther.ways.libsql import open_libsql
from migrator.auther.ways.sqlite import open_sqlite
from migrator.core.errors import RefusedError
from tests.auther.rows import at, role, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.auther.interface import Mapped
    from migrator.auther.ways.sql_target import SqlTarget

MAKE_TUPLES = """
CREATE TABLE access_tuples (id text PRIMARY KEY NOT NULL, entity_type text NOT NULL, entity_type_id text,
  entity_id text NOT NULL, relation text NOT NULL, subject_type text NOT NULL, subject_id text NOT NULL,
  subject_relation text, condition text, created_at integer NOT NULL, updated_at integer NOT NULL)
"""


@pytest.fixture(params=["sqlite", "libsql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlTarget]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield stack.enter_context(open_sqlite(tmp_path / "auther.db"))
        else:
            url = request.getfixturevalue("sqld")
            yield stack.enter_context(open_libsql(url, writing=True))


def ask(target: SqlTarget, sql: str) -> list[tuple[object, ...]]:
    return target.database.ask(Run(sql))[0]


def test_what_is_written_is_read_as_it_was(target: SqlTarget) -> None:
    odd = row('o\'brien "q" \\ é\u2028\U0001f600', username="odd_one")
    odd = odd._replace(user=odd.user._replace(created_at=-8_640_000_000_000_000, ban_reason=""))
    rich = row("ada")._replace(accounts=(row("ada").accounts[0], at("github", "7", owner="ada")))
    target.write([odd, rich])
    read = target.read([odd.pk, "ada", "nobody"])
    assert read == {
        odd.pk: Stored(odd.user, odd.accounts),
        "ada": Stored(rich.user, rich.accounts),
    }
    assert target.count_users() == 2
    assert target.owners(["ada@x.org", "no@x.org"]) == {"ada@x.org": "ada"}


def test_what_is_there_is_found_by_id_address_name_and_identity(target: SqlTarget) -> None:
    ada = row("ada", username="ada_l")
    target.write([ada._replace(accounts=(*ada.accounts, at("github", "77", owner="ada")))])
    wanted = row("eve", email="ada@x.org", username="ada_l")
    wanted = wanted._replace(accounts=(at("github", "77", owner="eve"),))
    found = target.find([wanted, row("ada"), row("new")])
    assert found.ids == {"ada"}
    assert found.emails == {"ada@x.org": "ada"}
    assert found.usernames == {"ada_l": "ada"}
    assert found.subjects == {("github", "77"): "ada"}


@pytest.mark.parametrize(
    "clash", [row("ada"), row("eve", email="ada@x.org"), row("eve", username="ada_l")]
)
def test_a_page_that_meets_somebody_else_is_not_written_at_all(
    target: SqlTarget, clash: Mapped
) -> None:
    target.write([row("ada", username="ada_l")])
    with pytest.raises(TargetChangedError):
        target.write([row("bob"), clash, row("cid")])
    assert target.count_users() == 1
    assert ask(target, "SELECT count(*) FROM account") == [(1,)]


def test_a_page_whose_answer_was_lost_is_taken_for_written(target: SqlTarget) -> None:
    page = [row("ada"), row("bob")]
    target.write(page)
    target.write(page)
    assert target.count_users() == 2


def test_an_account_never_stands_without_its_user(target: SqlTarget) -> None:
    stray = row("bob")._replace(accounts=(at("x", "s", owner="nobody"),))
    with pytest.raises(TargetChangedError):
        target.write([stray])
    assert target.count_users() == 0


def test_a_user_without_accounts_carries_a_mark_that_goes_with_the_user(target: SqlTarget) -> None:
    target.write([row("ada"), row("bob")._replace(accounts=())])
    assert ask(target, "SELECT identifier FROM verification") == [("migrator:user:bob",)]
    assert target.remove(["ada", "bob", "nobody"]) == 2
    assert ask(target, "SELECT count(*) FROM verification") == [(0,)]
    assert ask(target, "SELECT count(*) FROM account") == [(0,)]


def test_roles_are_written_once_where_there_is_a_table_and_refused_where_there_is_none(
    target: SqlTarget, request: pytest.FixtureRequest
) -> None:
    ada = row("ada")._replace(tuples=(role("ada", "admin"), role("ada", "editor")))
    with pytest.raises(RefusedError, match="no table access_tuples"):
        target.write([ada])
    assert target.count_users() == 0
    target.database.write([Run(MAKE_TUPLES)])
    object.__setattr__(target.layout, "tuples", True)
    target.write([ada])
    target.write([row("bob")._replace(tuples=ada.tuples)])
    assert ask(target, "SELECT count(*) FROM access_tuples") == [(2,)]
    target.remove(["ada"])
    assert ask(target, "SELECT count(*) FROM access_tuples") == [(0,)]


def test_a_change_is_made_only_while_nobody_else_touched_the_user(target: SqlTarget) -> None:
    target.write([row("ada"), row("bob"), row("cid"), row("dan")])
    before = target.read(["ada", "bob", "cid", "dan"])
    target.database.write([Run("UPDATE user SET name = 'Bobby' WHERE id = 'bob'")])
    target.database.write([Run("UPDATE account SET password = 'own' WHERE user_id = 'dan'")])
    target.database.write([Run("UPDATE account SET scope = 'kept'")])
    renewed = before["ada"].accounts[0]._replace(password="new")
    new = at("github", "1", owner="ada")
    changes = [
        Change(before["ada"], before["ada"].user._replace(name="Ada L"), (renewed, new)),
        Change(before["bob"], before["bob"].user._replace(name="x"), before["bob"].accounts),
        Change(before["cid"], None, ()),
        Change(before["dan"], None, ()),
    ]
    assert target.change(changes) == ["bob", "dan"]
    after = target.read(list(before))
    assert after["ada"] == Stored(changes[0].user or before["ada"].user, (renewed, new))
    assert after["bob"].user.name == "Bobby"
    assert set(after) == {"ada", "bob", "dan"}
    assert ask(target, "SELECT scope FROM account WHERE id = 'a-ada'") == [("kept",)]


@pytest.mark.parametrize("at_ms", [2, 7], ids=["the account stays", "the account too"])
def test_a_row_is_written_only_while_it_and_its_one_account_are_as_they_were_read(
    target: SqlTarget, at_ms: int
) -> None:
    names = ["as_read", "rekeyed", "linked", "moved", "unlinked", "touched"]
    target.write([row(name) for name in names])
    before = target.read(names)
    another = at("github", "1", owner="linked")
    target.database.write(
        [
            Run("UPDATE account SET password = 'own' WHERE user_id = 'rekeyed'"),
            target.insert_accounts([another]),
            Run("UPDATE account SET id = 'other' WHERE user_id = 'moved'"),
            Run("DELETE FROM account WHERE user_id = 'unlinked'"),
            Run("UPDATE user SET updated_at = 3 WHERE id = 'touched'"),
        ]
    )
    changes = [
        Change(
            before[n],
            before[n].user._replace(name="new", updated_at=7),
            tuple(account._replace(updated_at=at_ms) for account in before[n].accounts),
        )
        for n in names
    ]
    assert target.change(changes) == names[1:]
    assert target.read(["as_read"]) == {"as_read": Stored(changes[0].user, changes[0].accounts)}  # type: ignore[arg-type]
    assert ask(target, "SELECT id FROM user WHERE name = 'new'") == [("as_read",)]
    written = ask(target, "SELECT user_id FROM account WHERE updated_at = 7")
    assert written == ([("as_read",)] if at_ms == 7 else [])


def test_a_change_whose_answer_was_lost_is_no_conflict(target: SqlTarget) -> None:
    target.write([row("ada"), row("bob")])
    before = target.read(["ada", "bob"])
    changes = [
        Change(before["ada"], before["ada"].user._replace(name="Ada L"), ()),
        Change(before["bob"], None, ()),
    ]
    assert target.change(changes) == target.change(changes) == []
    assert ask(target, "SELECT identifier FROM verification") == [("migrator:user:ada",)]


def test_whoever_loses_an_account_is_known_again_by_a_mark(target: SqlTarget) -> None:
    own = at("github", "7", owner="ada")
    target.write([row("ada")._replace(accounts=(*row("ada").accounts, own)), row("bob")])
    before = target.read(["ada", "bob"])
    left = [Change(before["ada"], before["ada"].user, (own,))]
    renamed = [
        Change(before["bob"], before["bob"].user._replace(email="b@x.org"), before["bob"].accounts)
    ]
    assert target.change([*left, *renamed]) == []
    assert ask(target, "SELECT identifier FROM verification") == [("migrator:user:ada",)]


def test_a_change_to_an_address_that_is_taken_leaves_the_others_alone(target: SqlTarget) -> None:
    target.write([row("ada"), row("bob"), row("cid", username="cid_1")])
    before = target.read(["ada", "bob", "cid"])
    changes = [
        Change(s, s.user._replace(email=email, username=name), s.accounts)
        for s, email, name in (
            (before["ada"], "cid@x.org", None),
            (before["bob"], "bob@x.org", "cid_1"),
            (before["cid"], "new@x.org", "cid_1"),
        )
    ]
    assert target.change(changes) == ["ada", "bob"]
    assert target.read(["cid"])["cid"].user.email == "new@x.org"
    assert target.change([]) == []


def test_an_address_that_one_gives_up_is_another_ones_in_the_same_call(target: SqlTarget) -> None:
    target.write([row("ada"), row("bob"), row("cid")])
    before = target.read(["ada", "bob", "cid"])
    changes = [
        Change(
            before["bob"], before["bob"].user._replace(email="ada@x.org"), before["bob"].accounts
        ),
        Change(before["ada"], None, ()),
        Change(before["cid"], before["cid"].user._replace(name="C"), before["cid"].accounts),
    ]
    assert target.change(changes) == []
    there = target.read(["ada", "bob", "cid"]).values()
    assert [(s.user.email, s.user.name) for s in there] == [
        ("ada@x.org", before["bob"].user.name),
        ("cid@x.org", "C"),
    ]


SIGN_IN = (
    "INSERT INTO session (id, expires_at, token, created_at, updated_at, user_id)"
    " SELECT id, 9, 't-' || id, 1, 1, id FROM user"
)
GIVE_TOKENS = (
    "INSERT INTO oauth_access_token (id, access_token, refresh_token, user_id)"
    " SELECT id, 'a-' || id, 'r-' || id, id FROM user"
)


def test_whoever_is_shut_out_or_gets_another_password_is_signed_out_in_the_same_transaction(
    target: SqlTarget,
) -> None:
    names = ["banned", "deleted", "rekeyed", "unkeyed", "renamed", "still_banned", "elsewhere"]
    target.write([row(name) for name in names])
    target.database.write([Run("UPDATE user SET banned = 1 WHERE id = 'still_banned'")])
    before = target.read(names)
    target.database.write([Run(SIGN_IN), Run(GIVE_TOKENS)])
    target.database.write([Run("UPDATE user SET name = 'x' WHERE id = 'elsewhere'")])

    def changed(who: str, **columns: Any) -> Change:
        return Change(before[who], before[who].user._replace(**columns), before[who].accounts)

    rekeyed = before["rekeyed"].accounts[0]._replace(password="another")
    changes = [
        changed("banned", banned=1),
        Change(before["deleted"], None, ()),
        changed("rekeyed")._replace(accounts=(rekeyed,)),
        changed("unkeyed")._replace(accounts=()),
        changed("renamed", name="y"),
        changed("still_banned", name="y"),
        changed("elsewhere", banned=1),
    ]
    assert target.change(changes) == ["elsewhere"]
    left = [("elsewhere",), ("renamed",), ("still_banned",)]
    assert ask(target, "SELECT user_id FROM session ORDER BY 1") == left
    assert ask(target, "SELECT user_id FROM oauth_access_token ORDER BY 1") == left
    assert ask(target, "SELECT count(*) FROM user WHERE updated_at = 2") == [(6,)]


def runs(step: Run | Each) -> list[Run]:
    """Give the forms in which a step runs, on a file and on a server."""
    if isinstance(step, Run):
        return [step]
    by_row = Run(step.one_row(), step.rows[0])
    return [by_row, Run(step.all_rows(), [json.dumps(step.rows)])]


def test_a_change_looks_users_up_by_their_id(tmp_path: Path) -> None:
    with open_sqlite(tmp_path / "auther.db") as target:
        target.write([row("ada")])
        stored = target.read(["ada"])["ada"]
        changes = [
            Change(stored, None, ()),
            Change(stored, stored.user._replace(name="Ada L"), stored.accounts),
            Change(stored, stored.user, (stored.accounts[0]._replace(updated_at=7),)),
        ]
        steps = [
            step
            for change in changes
            for step in steps_of([change], layout=target.layout, insert=target.insert_accounts)
        ]
        for run in (run for step in steps for run in runs(step)):
            plan = target.database.ask(Run(f"EXPLAIN QUERY PLAN {run.sql}", run.values))[0]
            lines = [str(line[-1]) for line in plan]
            assert not [line for line in lines if "username" in line or "SCAN user" in line], lines


def test_a_change_writes_no_index_of_what_stays(tmp_path: Path) -> None:
    with open_sqlite(tmp_path / "auther.db") as target:
        target.write([row("ada")])
        target.ensure_account_index()
        user, accounts = target.read(["ada"])["ada"].user, target.read(["ada"])["ada"].accounts
        renewed = (accounts[0]._replace(password="another"),)

        def inserts(**columns: Any) -> int:
            changes = [Change(Stored(user, accounts), user._replace(**columns), renewed)]
            steps = steps_of(changes, layout=target.layout, insert=target.insert_accounts)
            listed = [
                target.database.ask(Run(f"EXPLAIN {run.sql}", run.values))[0]
                for step in steps
                for run in runs(step)
            ]
            return sum(opcode[1] == "IdxInsert" for codes in listed for opcode in codes)

        assert inserts(email="new@x.org") > inserts(name="Ada L")


def test_roles_change_with_their_user_and_nobody_elses_do(target: SqlTarget) -> None:
    assert target.tuples(["ada"]) is None
    target.database.write([Run(MAKE_TUPLES)])
    object.__setattr__(target.layout, "tuples", True)
    old = {name: role(name, "editor") for name in ("ada", "bob", "cid")}
    target.write([row(name)._replace(tuples=(old[name],)) for name in old])
    before = target.read(list(old))
    target.database.write([Run("UPDATE user SET name = 'x' WHERE id = 'bob'")])
    new = {name: role(name, "admin") for name in old}

    def changed(name: str, *revoked: str) -> Change:
        stored = before[name]
        return Change(stored, stored.user, stored.accounts, (new[name],), revoked)

    changes = [changed("ada", old["ada"].id, old["cid"].id), changed("bob", old["bob"].id)]
    assert target.change(changes) == ["bob"]
    assert target.tuples(list(old)) == {
        "ada": (new["ada"],), "bob": (old["bob"],), "cid": (old["cid"],)
    }  # fmt: skip
    assert target.change([changed("ada", old["ada"].id)]) == [], "once more does no harm"


def test_a_change_that_stumbles_over_another_ones_row_leaves_the_others_alone(
    target: SqlTarget,
) -> None:
    target.write([row("ada"), row("bob")])
    before = target.read(["ada", "bob"])
    target.database.write(
        [Run("CREATE UNIQUE INDEX one_each ON account (provider_id, account_id)")]
    )
    changes = [
        Change(before[name], before[name].user, (*before[name].accounts, at("x", "1", owner=name)))
        for name in before
    ]
    assert target.change(changes) == ["bob"]
    assert target.read(["bob"]) == {"bob": before["bob"]}


def test_users_are_listed_in_order_and_what_they_use_is_named(target: SqlTarget) -> None:
    target.write([row(f"u{number}") for number in range(7)])
    target.database.write(
        [
            Run(
                "INSERT INTO session (id, expires_at, token, updated_at, user_id, created_at)"
                " VALUES ('s', 1, 't', 1, 'u3', 1)"
            )
        ]
    )
    assert list(target.user_ids(rows=3)) == [["u0", "u1", "u2"], ["u3", "u4", "u5"], ["u6"]]
    assert target.tables_in_use(["u2", "u3"]) == {"u3": ["session"]}


def test_the_account_index_is_made_once(target: SqlTarget) -> None:
    assert target.ensure_account_index()
    assert not target.ensure_account_index()
    target.drop_account_index()
    assert target.ensure_account_index()
