"""What the import writes and reads through the plugin, in one transaction and row by row."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.auther.plugin.door import (
    ENVIRONMENT,
    LONG_AGO_MS,
    TUPLES,
    Door,
    account,
    after,
    cookie_of,
    grant,
    ids,
    is_signed_in,
    person,
    stored,
)
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start

SLOWEST = pytest.param("newest adapter", marks=pytest.mark.long)


@pytest.fixture(scope="module", params=["database", "adapter", "newest database", SLOWEST])
def way(request: pytest.FixtureRequest) -> str:
    """With the plugin's option `database`, or through better-auth's adapter."""
    return str(request.param)


@pytest.fixture(scope="module")
def site(way: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BetterAuth, Users]]:
    """A server with all secrets, and its tables."""
    newest = way.startswith("newest")
    require("newest" if newest else "node")
    path = tmp_path_factory.mktemp("users") / "auther.db"
    env = {**ENVIRONMENT, "PLUGIN_DATABASE": "1" if way.endswith("database") else "0"}
    with start(path, env=env, newest=newest) as running:
        users = Users(path)
        users.run(TUPLES)
        yield running, users


@pytest.fixture
def auther(site: tuple[BetterAuth, Users]) -> BetterAuth:
    return site[0]


@pytest.fixture
def users(site: tuple[BetterAuth, Users]) -> Users:
    return site[1]


@pytest.fixture
def door(auther: BetterAuth) -> Door:
    return Door(auther)


def test_what_is_written_is_read_back_and_signs_in(auther: BetterAuth, door: Door) -> None:
    one = person(
        password=bcrypt_envelope("correct horse"), providers=["github", "google"], image="i"
    )
    two = person(banned=1, ban_reason="locked", ban_expires=LONG_AGO_MS + 5, email_verified=0)
    assert door.upsert(one, two) == ["inserted", "inserted"]
    one["accounts"].sort(key=lambda row: row["id"])
    assert door.read(*ids(two, one)) == [
        {"user": row["user"], "accounts": row["accounts"]}
        for row in sorted([one, two], key=lambda row: str(row["user"]["id"]))
    ]
    assert auther.sign_in(one["user"]["email"], "correct horse").user_id == one["user"]["id"]


def test_flags_may_be_true_and_false(door: Door) -> None:
    one = person(email_verified=True, banned=False)
    assert door.upsert(one) == ["inserted"]
    assert door.read(*ids(one))[0]["user"] == {**one["user"], "email_verified": 1, "banned": 0}


def test_who_is_there_is_not_written_again(door: Door, users: Users) -> None:
    one, bare = person(password="a", providers=["github"]), person()
    assert door.upsert(one, bare) == ["inserted"] * 2
    before = stored(users, one, bare)
    changed = {**one, "user": {**one["user"], "name": "Another Name"}}
    assert door.upsert(changed, bare) == ["there", "there"]
    assert stored(users, one, bare) == before
    more = {**one, "accounts": [*one["accounts"], account(ids(one)[0], "gitlab", "5")]}
    assert door.upsert(more) == ["there"]
    assert [
        row["provider_id"]
        for row in users.rows("SELECT provider_id FROM account WHERE account_id = '5'")
    ] == ["gitlab"]


@pytest.mark.parametrize("together", [True, False])
def test_what_somebody_else_has_is_named(door: Door, together: bool) -> None:
    first = person(password="a", providers=["github"])
    taken = account("someone" + "x" * 25, "github", first["accounts"][1]["account_id"])
    rest = [
        person(email=first["user"]["email"]),
        person(username=first["user"]["username"]),
        {**person(id="someone" + "x" * 25), "accounts": [taken]},
        person(username=None, display_username=None),
    ]
    expected = ["email_taken", "username_taken", "subject_taken", "inserted"]
    if together:
        assert door.upsert(first, *rest) == ["inserted", *expected]
    else:
        assert door.upsert(first) == ["inserted"]
        assert door.upsert(*rest) == expected


def test_a_user_of_others_is_never_taken_for_ours(door: Door, users: Users) -> None:
    foreign = users.add("x")
    before = users.rows("SELECT * FROM account WHERE user_id = ?", foreign.id)
    assert door.upsert(person(id=foreign.id, password="a")) == ["id_taken"]
    assert users.rows("SELECT * FROM account WHERE user_id = ?", foreign.id) == before
    assert door.post("IMPORT", "users/remove", {"ids": [foreign.id]}) == {"removed": 0}
    (row,) = door.read(foreign.id)
    assert {account["password"] for account in row["accounts"]} <= {"migrator:withheld", None}
    assert door.change({"before": row, "user": None, "accounts": []}) == ["refused"]
    assert users.rows("SELECT id FROM user WHERE id = ?", foreign.id)


def test_who_is_refused(door: Door) -> None:
    stranger = person(password="a", mark=b"another mark, also of 32 bytes.." * 2)
    other = person(password="a")
    other["accounts"][0]["user_id"] = "somebody"
    refused = [
        person(role="admin"), person(email="Capital@example.com"), stranger, other,
    ]  # fmt: skip
    assert door.upsert(*refused, person(role="user")) == ["refused"] * 4 + ["inserted"]


def test_an_admin_is_not_ours_any_more(door: Door, users: Users) -> None:
    one = person(password="a")
    assert door.upsert(one) == ["inserted"]
    users.run("UPDATE user SET role = 'admin' WHERE id = ?", *ids(one))
    assert door.upsert(one) == ["id_taken"]
    (row,) = door.read(*ids(one))
    assert [account["password"] for account in row["accounts"]] == ["migrator:withheld"]
    assert door.change({"before": {**row, "accounts": one["accounts"]}, "user": None}) == [
        "refused"
    ]
    assert door.post("IMPORT", "users/remove", {"ids": ids(one)}) == {"removed": 0}


def test_roles_are_written_in_one_transaction_only(door: Door, users: Users, way: str) -> None:
    one = person(password="a")
    one["tuples"] = [grant(ids(one)[0], "editor")]
    assert door.upsert(one) == ["inserted" if way.endswith("database") else "refused"]
    written = users.rows("SELECT * FROM access_tuples WHERE subject_id = ?", *ids(one))
    assert written == (one["tuples"] if way.endswith("database") else [])
    door.post("IMPORT", "users/remove", {"ids": ids(one)})
    assert users.rows("SELECT * FROM access_tuples WHERE subject_id = ?", *ids(one)) == []


def test_a_database_that_fails_midway_leaves_nothing(door: Door, users: Users) -> None:
    people = [person(password="a", providers=["github"]) for _ in range(3)]
    last = people[2]["accounts"][1]["id"]
    users.run(
        f"CREATE TRIGGER full BEFORE INSERT ON account WHEN NEW.id = '{last}' BEGIN SELECT raise(ABORT, 'full'); END"
    )
    there = person()
    assert door.upsert(there) == ["inserted"]
    more = {**there, "accounts": [account(ids(there)[0], "gitlab", "77")]}
    answer = door.ask("IMPORT", "POST", "users/upsert", json={"users": [more, *people]})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_failed")
    assert stored(users, *people) == [[], [], []]
    assert users.rows("SELECT id FROM account WHERE account_id = '77'") == []
    users.run("DROP TRIGGER full")
    assert door.upsert(more, *people) == ["there"] + ["inserted"] * 3


def test_finding_what_is_taken(door: Door, users: Users) -> None:
    one, foreign = person(password="a", providers=["github"]), users.add("x")
    assert door.upsert(one) == ["inserted"]
    name, subject = ids(one)[0], one["accounts"][1]["account_id"]
    asked = {
        "ids": [name, foreign.id, "nobody"],
        "emails": [one["user"]["email"], foreign.email, "nobody@example.com"],
        "usernames": [one["user"]["username"], "nobody"],
        "subjects": [["github", subject], ["google", subject], ["x", "x"]],
    }
    found = door.post("IMPORT", "users/find", asked)
    assert sorted(found["ids"]) == sorted([name, foreign.id])
    assert found["emails"] == {one["user"]["email"]: name, foreign.email: foreign.id}
    assert found["usernames"] == {one["user"]["username"]: name}
    assert found["subjects"] == [["github", subject, name]]


def test_ids_come_in_order_page_by_page(door: Door, users: Users) -> None:
    door.upsert(*[person() for _ in range(5)])
    everybody = [row["id"] for row in users.rows("SELECT id FROM user ORDER BY id")]
    seen: list[str] = []
    while page := door.get("IMPORT", "users/ids", after=seen[-1] if seen else "", limit=3)["ids"]:
        assert len(page) <= 3
        seen += page
    assert seen == everybody
    assert door.post("IMPORT", "users/count", {}) == {"users": len(everybody)}


def test_tables_in_use(auther: BetterAuth, door: Door) -> None:
    used, quiet = person(password=bcrypt_envelope("correct horse")), person(password="a")
    door.upsert(used, quiet)
    assert auther.sign_in(used["user"]["email"], "correct horse").status == 200
    tables = door.post("IMPORT", "users/in-use", {"ids": ids(used, quiet)})["tables"]
    assert tables == {ids(used)[0]: ["session"]}


def test_a_change_is_made_only_while_nothing_else_changed(door: Door, users: Users) -> None:
    one = person(password="old", providers=["github"])
    door.upsert(one)
    (before,) = door.read(*ids(one))
    credential = next(row for row in before["accounts"] if row["provider_id"] == "credential")
    users.run("UPDATE account SET access_token = 'kept' WHERE id = ?", credential["id"])
    after = {
        "user": {
            **before["user"],
            "name": "New",
            "email": "new-address@example.com",
            "updated_at": LONG_AGO_MS + 9,
        },
        "accounts": [{**credential, "password": "new"}, account(ids(one)[0], "gitlab", "9")],
    }
    assert door.change({"before": before, **after}) == ["changed"]
    assert door.read(*ids(one))[0]["user"] == after["user"]
    rows = {
        str(row["provider_id"]): row
        for row in users.rows("SELECT * FROM account WHERE user_id = ?", *ids(one))
    }
    assert set(rows) == {"credential", "gitlab"}
    assert (rows["credential"]["password"], rows["credential"]["access_token"]) == ("new", "kept")
    assert door.change({"before": before, **after}) == ["conflict"]
    users.run("UPDATE account SET password = 'mine' WHERE id = ?", credential["id"])
    (now,) = door.read(*ids(one))
    stale = [
        {**row, "password": "new"} if row["id"] == credential["id"] else row
        for row in now["accounts"]
    ]
    assert door.change({"before": {**now, "accounts": stale}, "user": None, "accounts": []}) == [
        "conflict"
    ]


def test_a_change_that_takes_what_another_has(door: Door) -> None:
    one, two = person(password="a"), person(password="b")
    door.upsert(one, two)
    before = door.read(*ids(one))[0]
    for column in ("email", "username"):
        user = {**before["user"], column: two["user"][column]}
        change = {"before": before, "user": user, "accounts": before["accounts"]}
        assert door.change(change) == [f"{column}_taken"]
    assert door.read(*ids(one)) == [before]


def test_a_change_may_not_give_a_role_or_a_stranger(door: Door) -> None:
    one = person(password="a")
    door.upsert(one)
    before = door.read(*ids(one))[0]
    stranger = account(ids(one)[0], "github", "7", mark=b"another mark, also of 32 bytes.." * 2)
    for user, accounts in (
        ({**before["user"], "role": "admin"}, before["accounts"]),
        (before["user"], [*before["accounts"], stranger]),
        ({**before["user"], "id": "another"}, before["accounts"]),
    ):
        assert door.change({"before": before, "user": user, "accounts": accounts}) == ["refused"]
    assert door.read(*ids(one)) == [before]


def test_taking_all_of_our_accounts_keeps_the_user_ours(door: Door, users: Users) -> None:
    bare, linked = person(password="a"), person(password="b")
    door.upsert(bare, linked)
    (name,) = ids(linked)
    own = "INSERT INTO account (id, account_id, provider_id, user_id, created_at, updated_at)"
    users.run(f"{own} VALUES (?, ?, 'github', ?, 1, 1)", f"own-{name}", name, name)
    for one in (bare, linked):
        (row,) = door.read(*ids(one))
        left = [each for each in row["accounts"] if each["provider_id"] != "credential"]
        assert door.change({**after(row), "accounts": left}) == ["changed"]
        assert door.upsert({**one, "accounts": []}) == ["there"]
        assert door.change(after(door.read(*ids(one))[0], banned=1)) == ["changed"]


def test_a_ban_another_password_and_a_deletion_sign_people_out(
    auther: BetterAuth, door: Door, users: Users, way: str
) -> None:
    people = [person(password=bcrypt_envelope("correct horse")) for _ in range(5)]
    assert door.upsert(*people) == ["inserted"] * 5
    cookies = [cookie_of(auther, one["user"]["email"], "correct horse") for one in people]
    give = "INSERT OR IGNORE INTO oauth_access_token (id, refresh_token, user_id) "
    users.run(give + "SELECT user_id, user_id, user_id FROM session")
    banned, rekeyed, gone, named, stale = door.read(*ids(*people))
    users.run("UPDATE user SET name = 'Meanwhile' WHERE id = ?", stale["user"]["id"])
    other = [{**rekeyed["accounts"][0], "password": bcrypt_envelope("another horse")}]
    assert door.change(
        {**after(banned, banned=1)},
        {**after(rekeyed), "accounts": other},
        {"before": gone, "user": None, "accounts": []},
        {**after(named, name="Renamed")},
        {**after(stale, banned=1)},
    ) == [*["changed"] * 4, "conflict"]
    assert [is_signed_in(auther, cookie) for cookie in cookies] == [
        False,
        False,
        False,
        True,
        True,
    ]
    # The newer better-auth keeps tokens elsewhere, and its adapter knows no table of that name.
    for table in ("session", *([] if way == "newest adapter" else ["oauth_access_token"])):
        left = [
            len(users.rows(f"SELECT id FROM {table} WHERE user_id = ?", *ids(one)))
            for one in people
        ]
        assert left == [0, 0, 0, 1, 1], table


def test_roles_follow_a_change(door: Door, users: Users, way: str) -> None:
    one, other = person(password="a"), person(password="b")
    door.upsert(one, other)
    mine, new, foreign = (grant(*pair) for pair in (
        (ids(one)[0], "editor"), (ids(one)[0], "owner"), (ids(other)[0], "editor"),
    ))  # fmt: skip
    asked = {"ids": ids(one, other), "tuples": True}
    if not way.endswith("database"):
        assert [p["tuples"] for p in door.post("IMPORT", "users/read", asked)["users"]] == [
            None
        ] * 2
        for tuples in ({"add": [new]}, {"remove": [new["id"]]}):
            assert door.change({**after(door.read(*ids(one))[0]), "tuples": tuples}) == ["refused"]
        return
    for row in (mine, foreign):
        places = ",".join("?" * len(row))
        users.run(f"INSERT INTO access_tuples ({','.join(row)}) VALUES ({places})", *row.values())
    tuples = {"add": [new], "remove": [mine["id"], foreign["id"]]}
    change = {**after(door.read(*ids(one))[0], name="New"), "tuples": tuples}
    stolen = {**after(door.read(*ids(other))[0]), "tuples": {"add": [new]}}
    assert door.change(change, stolen) == ["changed", "refused"]
    read = door.post("IMPORT", "users/read", asked)["users"]
    assert [p["tuples"] for p in read] == [[new], [foreign]]
    assert door.change({**change, "tuples": {"remove": [new["id"]]}}) == ["conflict"]
    assert door.post("IMPORT", "users/read", asked)["users"] == read


@pytest.mark.parametrize("by", ["change", "remove"])
def test_removing_takes_everything_of_the_user(
    auther: BetterAuth, door: Door, users: Users, by: str
) -> None:
    one, bare, other = (
        person(password=bcrypt_envelope("correct horse")),
        person(),
        person(password="b"),
    )
    door.upsert(one, bare, other)
    assert auther.sign_in(one["user"]["email"], "correct horse").status == 200
    kept = stored(users, other)
    if by == "remove":
        assert door.post("IMPORT", "users/remove", {"ids": [*ids(one, bare), "nobody"]}) == {
            "removed": 2
        }
    else:
        gone: list[dict[str, Any]] = [
            {"before": row, "user": None, "accounts": []} for row in door.read(*ids(one, bare))
        ]
        assert door.change(*gone) == ["changed", "changed"]
    assert stored(users, one, bare) == [[], []]
    assert users.rows("SELECT id FROM session WHERE user_id = ?", *ids(one)) == []
    assert stored(users, other) == kept


def test_a_change_that_fails_midway_leaves_nothing(door: Door, users: Users) -> None:
    one, two = person(password="a"), person(password="b")
    door.upsert(one, two)
    before = stored(users, one, two)
    users.run(
        f"CREATE TRIGGER full BEFORE UPDATE ON account WHEN OLD.user_id = '{ids(two)[0]}' BEGIN SELECT raise(ABORT, 'full'); END"
    )
    changes = [
        {**after(row, name="New"), "accounts": [{**row["accounts"][0], "password": "c"}]}
        for row in door.read(*ids(one, two))
    ]
    answer = door.ask("IMPORT", "POST", "users/change", json={"changes": changes})
    assert answer.status_code == 503
    assert stored(users, one, two) == before
    users.run("DROP TRIGGER full")
    assert door.change(*changes) == ["changed", "changed"]


def test_one_conflict_does_not_stop_the_others(door: Door, users: Users) -> None:
    one, two = person(password="a"), person(password="b")
    door.upsert(one, two)
    rows = {row["user"]["id"]: row for row in door.read(*ids(one, two))}
    users.run("UPDATE user SET name = 'Meanwhile' WHERE id = ?", *ids(one))
    changes = [after(rows[name], name="New") for name in ids(one, two)]
    assert door.change(*changes) == ["conflict", "changed"]
    assert [row["user"]["name"] for row in door.read(*ids(one, two))] == ["Meanwhile", "New"]
