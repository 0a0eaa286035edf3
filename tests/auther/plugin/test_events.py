"""Which changes at Auther are written down, for whom, and what the migrator gets of them."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from migrator.auther.plugin.seal import SealError, SealKey, new_key
from tests.auther.plugin.door import ENVIRONMENT, MARK, Door, Rows, account, person
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.auther.plugin.visitor import Visitor, admin, mails
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start

pytestmark = pytest.mark.xdist_group("events")
KEY = SealKey(new_key())
PEPPER = "the pepper of today"
WRITE_BACK = {"MIGRATOR_SEAL_KEY": KEY.public, "MIGRATOR_WRITE_BACK": "bcrypt:cost=4&pepper=2024"}
OLD, NEW = "correct horse", "battery staple"
STORED = bcrypt_envelope(OLD)


@dataclass
class Site:
    """A server with write-back material, its tables, mail and an administrator."""

    auther: BetterAuth
    users: Users
    mail: Path
    boss: Visitor
    newest: bool = False

    @property
    def door(self) -> Door:
        return Door(self.auther)

    def someone(self, **columns: Any) -> Rows:
        """A user of ours with the password `OLD`."""
        row = person(password=STORED, **columns)
        assert self.door.upsert(row) == ["inserted"]
        return row

    def events(self, user_id: str) -> list[Rows]:
        """The events of a user as the table holds them."""
        rows = self.users.rows(
            "SELECT value FROM verification WHERE identifier LIKE 'migrator:event:%' ORDER BY identifier"
        )
        found = [json.loads(str(row["value"])) for row in rows]
        return [event for event in found if event["user_id"] == user_id]

    def kinds(self, row: Rows) -> list[str]:
        """What happened to a user, in any order."""
        return sorted(str(event["type"]) for event in self.events(row["user"]["id"]))


@pytest.fixture(scope="module", params=["node", "newest"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    require(request.param)
    folder = tmp_path_factory.mktemp("events")
    mail = folder / "mail.jsonl"
    behaviour = {"mailFile": str(mail), "selfService": True}
    newest = request.param == "newest"
    options = {"env": {**ENVIRONMENT, **WRITE_BACK}, "behaviour": behaviour, "newest": newest}
    with start(folder / "auther.db", peppers={"2024": PEPPER}, **options) as running:
        users = Users(folder / "auther.db")
        yield Site(running, users, mail, admin(running, users, STORED, OLD), newest)


def opens(event: Rows, password: str) -> bool:
    """Whether an event carries the application's value for a password."""
    value = KEY.open(event["sealed"], user_id=event["user_id"])
    assert value.startswith("$2a$04$")
    return bcrypt.checkpw((password + PEPPER).encode()[:72], value.encode())


def test_signing_in_and_the_rehash_are_no_change(site: Site) -> None:
    one = site.someone()
    visitor = Visitor(site.auther, one["user"]["email"], OLD)
    visitor.post("sign-out")
    assert site.auther.sign_in(one["user"]["email"], OLD).status == 200
    assert site.auther.sign_in(one["user"]["email"], NEW).status == 401
    assert not site.door.read(one["user"]["id"])[0]["accounts"][0]["password"].startswith(
        "migrator:"
    )
    assert site.kinds(one) == []


def test_the_import_is_no_change(site: Site) -> None:
    one = site.someone()
    (row,) = site.door.read(one["user"]["id"])
    other = {**row["user"], "email": "elsewhere@example.com", "banned": 1}
    accounts = [{**row["accounts"][0], "password": "x"}]
    assert site.door.change({"before": row, "user": other, "accounts": accounts}) == ["changed"]
    assert site.door.post("IMPORT", "users/remove", {"ids": [one["user"]["id"]]}) == {"removed": 1}
    assert site.kinds(one) == []


def test_a_changed_password_is_sealed(site: Site) -> None:
    one = site.someone()
    before_ms = time.time() * 1000
    Visitor(site.auther, one["user"]["email"], OLD).post(
        "change-password", currentPassword=OLD, newPassword=NEW
    )
    (event,) = site.events(one["user"]["id"])
    assert event["type"] == "password"
    assert before_ms - 1 <= event["at_ms"] <= time.time() * 1000 + 1
    assert opens(event, NEW)
    assert not opens(event, OLD)
    with pytest.raises(SealError):
        KEY.open(event["sealed"], user_id="another")


def test_a_reset_password_is_sealed(site: Site) -> None:
    one = site.someone()
    site.auther.request(
        "POST",
        "/api/auth/request-password-reset",
        json={"email": one["user"]["email"], "redirectTo": "/"},
    )
    token = mails(site.mail, "reset")[-1]["url"].split("/reset-password/")[1].split("?")[0]
    body = {"token": token, "newPassword": NEW}
    assert site.auther.request("POST", "/api/auth/reset-password", json=body).status_code == 200
    (event,) = site.events(one["user"]["id"])
    assert (event["type"], opens(event, NEW)) == ("password", True)


def test_a_first_password_is_sealed(site: Site) -> None:
    one = person(providers=["github"])
    assert site.door.upsert(one) == ["inserted"]
    site.auther.request(
        "POST",
        "/api/auth/request-password-reset",
        json={"email": one["user"]["email"], "redirectTo": "/"},
    )
    token = mails(site.mail, "reset")[-1]["url"].split("/reset-password/")[1].split("?")[0]
    body = {"token": token, "newPassword": NEW}
    assert site.auther.request("POST", "/api/auth/reset-password", json=body).status_code == 200
    (event,) = site.events(one["user"]["id"])
    assert (event["type"], opens(event, NEW)) == ("password", True)


def test_a_password_that_an_administrator_sets_is_sealed(site: Site) -> None:
    one = site.someone()
    site.boss.post("admin/set-user-password", userId=one["user"]["id"], newPassword=NEW)
    (event,) = site.events(one["user"]["id"])
    assert (event["type"], opens(event, NEW)) == ("password", True)


@pytest.mark.parametrize("password", ["ключ от дома " * 5, "p" * 128])
def test_a_sealed_value_is_cut_as_the_application_cuts(site: Site, password: str) -> None:
    one = site.someone()
    site.boss.post("admin/set-user-password", userId=one["user"]["id"], newPassword=password)
    assert opens(site.events(one["user"]["id"])[0], password)


def test_ban_and_unban(site: Site) -> None:
    one = site.someone()
    site.boss.post("admin/ban-user", userId=one["user"]["id"], banReason="no")
    assert site.kinds(one) == ["ban", "revoke"]
    site.boss.post("admin/ban-user", userId=one["user"]["id"], banReason="still no")
    assert site.kinds(one) == ["ban", "revoke", "revoke"]
    site.boss.post("admin/unban-user", userId=one["user"]["id"])
    assert site.kinds(one) == ["ban", "revoke", "revoke", "unban"]


def test_a_ban_that_ends_by_itself_is_no_unban(site: Site) -> None:
    one = site.someone(banned=1, ban_expires=1_700_000_000_000)
    assert site.auther.sign_in(one["user"]["email"], OLD).status == 200
    assert site.kinds(one) == []


def test_removed_by_an_administrator(site: Site) -> None:
    one = site.someone()
    site.boss.post("admin/remove-user", userId=one["user"]["id"])
    assert set(site.kinds(one)) == {"delete", "revoke"}
    mark = f"migrator:user:{one['user']['id']}"
    assert site.users.rows("SELECT 1 FROM verification WHERE identifier = ?", mark) == []


def test_deleted_by_oneself(site: Site) -> None:
    one = site.someone()
    Visitor(site.auther, one["user"]["email"], OLD).post("delete-user", password=OLD)
    assert "delete" in site.kinds(one)
    assert site.door.read(one["user"]["id"]) == []


@pytest.mark.parametrize("door", ["revoke-sessions", "revoke-other-sessions"])
def test_ending_all_sessions(site: Site, door: str) -> None:
    one = site.someone()
    Visitor(site.auther, one["user"]["email"], OLD).post(door)
    assert site.kinds(one) == ["revoke"]


def test_a_new_address_counts_when_it_is_confirmed(site: Site) -> None:
    one = site.someone()
    visitor = Visitor(site.auther, one["user"]["email"], OLD)
    address = f"new-{one['user']['email']}"
    visitor.post("change-email", newEmail=address)
    assert site.kinds(one) == []
    visitor.follow(mails(site.mail, "move")[-1]["url"])
    (event, *_) = site.events(one["user"]["id"])
    assert (event["type"], event["email"]) == ("email", address)


def test_an_administrator_changes_the_address_only_when_it_differs(site: Site) -> None:
    one = site.someone()
    name = {"userId": one["user"]["id"]}
    site.boss.post(
        "admin/update-user", **name, data={"email": one["user"]["email"], "name": "New"}
    )
    assert site.kinds(one) == []
    site.boss.post("admin/update-user", **name, data={"email": "other-one@example.com"})
    (event,) = site.events(one["user"]["id"])
    assert event == {
        **event,
        "type": "email",
        "email": "other-one@example.com",
        "email_verified": True,
    }


def test_nothing_is_written_about_others(site: Site) -> None:
    foreign = site.users.add(STORED)
    site.boss.post("admin/set-user-password", userId=foreign.id, newPassword=NEW)
    site.boss.post("admin/ban-user", userId=foreign.id)
    site.boss.post("admin/remove-user", userId=foreign.id)
    body = {"email": "stranger@example.com", "password": NEW, "name": "Stranger"}
    signed_up = site.auther.request("POST", "/api/auth/sign-up/email", json=body).json()
    assert site.events(foreign.id) == []
    assert site.events(signed_up["user"]["id"]) == []


def test_who_loses_the_account_that_the_import_wrote_stays_ours(site: Site) -> None:
    one = site.someone(providers=["github"])
    visitor = Visitor(site.auther, one["user"]["email"], OLD)
    own = account(one["user"]["id"], "gitlab", "own", mark=MARK[::-1])
    columns = ", ".join(own)
    site.users.run(f"INSERT INTO account ({columns}) VALUES (?,?,?,?,?,?,?)", *own.values())
    for row in sorted(one["accounts"], key=lambda row: row["provider_id"] == "credential"):
        # 1.3 calls the subject so, the newest the row's id.
        named = row["id"] if site.newest else row["account_id"]
        visitor.post("unlink-account", providerId=row["provider_id"], accountId=named)
    site.boss.post("admin/ban-user", userId=one["user"]["id"])
    assert "ban" in site.kinds(one)


def test_a_full_database_does_not_stop_the_change(site: Site) -> None:
    one = site.someone()
    site.users.run(
        "CREATE TRIGGER full BEFORE INSERT ON verification WHEN NEW.identifier LIKE 'migrator:event:%' "
        "BEGIN SELECT raise(ABORT, 'full'); END"
    )
    try:
        site.boss.post("admin/set-user-password", userId=one["user"]["id"], newPassword=NEW)
    finally:
        site.users.run("DROP TRIGGER full")
    assert site.auther.sign_in(one["user"]["email"], NEW).status == 200
    said = f"EVENT LOST, could not be written down: password of user {one['user']['id']}"
    assert said in site.auther.log()
    assert site.door.get("EVENTS", "events")["lost"] >= 1


def settled(site: Site) -> None:
    """Wait until the newest event is given out."""
    time.sleep(1.1)


def test_the_export_is_ordered_and_goes_on_from_a_cursor(site: Site) -> None:
    one = site.someone()
    for _ in range(3):
        site.boss.post("admin/ban-user", userId=one["user"]["id"])
        site.boss.post("admin/unban-user", userId=one["user"]["id"])
    fresh = site.door.get("EVENTS", "events")
    assert fresh["now_ms"] <= time.time() * 1000 + 1
    settled(site)
    everything = site.door.get("EVENTS", "events", limit=1000)
    ids = [event["id"] for event in everything["events"]]
    assert ids == sorted(ids)
    assert everything["cursor"] == ids[-1]
    seen, cursor = [], ""
    while page := site.door.get("EVENTS", "events", after=cursor, limit=4)["events"]:
        assert len(page) <= 4
        seen += [event["id"] for event in page]
        cursor = seen[-1]
    assert seen == ids
    end = site.door.get("EVENTS", "events", after=cursor)
    assert (end["events"], end["cursor"]) == ([], cursor)
    mine = [
        event["type"] for event in everything["events"] if event["user_id"] == one["user"]["id"]
    ]
    assert [kind for kind in mine if kind != "revoke"] == ["ban", "unban"] * 3


def test_young_events_are_held_back(site: Site) -> None:
    one = site.someone()
    site.boss.post("admin/ban-user", userId=one["user"]["id"])
    young = site.door.get("EVENTS", "events")["events"]
    assert one["user"]["id"] not in {event["user_id"] for event in young}
    settled(site)
    old = site.door.get("EVENTS", "events")["events"]
    assert one["user"]["id"] in {event["user_id"] for event in old}


def test_acknowledging_blanks_what_was_sealed_and_keeps_the_rest(site: Site) -> None:
    one = site.someone()
    site.boss.post("admin/set-user-password", userId=one["user"]["id"], newPassword=NEW)
    settled(site)
    (event,) = [
        e for e in site.door.get("EVENTS", "events")["events"] if e["user_id"] == one["user"]["id"]
    ]
    foreign = f"migrator:user:{one['user']['id']}"
    ids = [event["id"], "migrator:event:000000000000001:none", foreign, "reset-password:x"]
    for _ in range(2):
        assert site.door.post("EVENTS", "events/acknowledge", {"ids": ids}) == {"acknowledged": 1}
    del event["id"], event["sealed"]
    assert site.events(one["user"]["id"]) == [{**event, "acknowledged": True}]


def test_after_a_day_what_was_sealed_is_gone(site: Site) -> None:
    one = site.someone()
    site.boss.post("admin/set-user-password", userId=one["user"]["id"], newPassword=NEW)
    day_ms = 24 * 3600 * 1000
    (event,) = site.events(one["user"]["id"])
    old = {**event, "at_ms": event["at_ms"] - day_ms}
    name = f"migrator:event:{old['at_ms']:015}:zzzz"
    site.users.run(
        "UPDATE verification SET identifier = ?, value = ? WHERE value = ?",
        name,
        json.dumps(old),
        json.dumps(event, separators=(",", ":")),
    )
    given = {e["id"]: e for e in site.door.get("EVENTS", "events")["events"]}[name]
    assert given == {
        "id": name,
        **{k: v for k, v in old.items() if k != "sealed"},
        "sealed_expired": True,
    }
    assert 'sealed":"v1.' not in str(
        site.users.rows("SELECT value FROM verification WHERE identifier = ?", name)
    )


def test_new_users_are_written_down_when_asked_for(tmp_path: Path) -> None:
    require("node")
    env = {**ENVIRONMENT, **WRITE_BACK, "PLUGIN_OPTIONS": json.dumps({"newUsers": True})}
    with start(tmp_path / "auther.db", env=env, peppers={"2024": PEPPER}) as auther:
        users = Users(tmp_path / "auther.db")
        site = Site(auther, users, tmp_path, admin(auther, users, STORED, OLD))
        body = {"email": "Somebody@example.com", "password": NEW, "name": "Some Body"}
        user = auther.request("POST", "/api/auth/sign-up/email", json=body).json()["user"]
        signed_up, password = site.events(user["id"])
        assert signed_up == {
            "type": "sign_up", "user_id": user["id"], "at_ms": signed_up["at_ms"], "name": "Some Body",
            "email": "somebody@example.com", "email_verified": False,
        }  # fmt: skip
        assert (password["type"], opens(password, NEW)) == ("password", True)
        site.boss.post("admin/ban-user", userId=user["id"])
        assert "ban" in site.kinds({"user": user})
        site.boss.post("admin/set-role", userId=user["id"], role="admin")
        count = len(site.events(user["id"]))
        site.boss.post("admin/unban-user", userId=user["id"])
        assert len(site.events(user["id"])) == count


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"MIGRATOR_SEAL_KEY": "short"}, "MIGRATOR_SEAL_KEY is no X25519"),
        ({"MIGRATOR_WRITE_BACK": "md5:pepper=none"}, "MIGRATOR_WRITE_BACK is no"),
        ({"MIGRATOR_PEPPER_2024": ""}, "MIGRATOR_PEPPER_2024"),
        ({"MIGRATOR_WRITE_BACK": "", "MIGRATOR_SEAL_KEY": ""}, ""),
    ],
)
def test_without_a_key_or_a_pepper_nothing_is_sealed(
    tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    require("node")
    with start(
        tmp_path / "auther.db",
        env={**ENVIRONMENT, **WRITE_BACK, "MIGRATOR_PEPPER_2024": PEPPER, **wrong},
    ) as auther:
        users = Users(tmp_path / "auther.db")
        site = Site(auther, users, tmp_path, admin(auther, users, STORED, OLD))
        one = site.someone()
        site.boss.post("admin/set-user-password", userId=one["user"]["id"], newPassword=NEW)
        (event,) = site.events(one["user"]["id"])
        assert "sealed" not in event
        assert said in auther.log()


def test_neither_passwords_nor_values_are_logged(site: Site) -> None:
    for secret in (OLD, NEW, PEPPER, "$2a$", "$2b$", "@example.com"):
        assert secret not in site.auther.log()
