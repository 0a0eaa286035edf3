"""Every user of a page gets one outcome, and nobody else's row is ever claimed."""

from __future__ import annotations

from migrator.auther.interface import AccountRow, Found, Mapped, Note, UserRow
from migrator.core.users import RejectReason
from migrator.legacy.identity import Known, Link
from migrator.runner.importing.settle import Settled, settle


def row(pk: str, *, email: str = "", username: str | None = None) -> Mapped:
    user = UserRow(
        f"id{pk}",
        "",
        email or f"{pk}@x.org",
        1,
        None,
        1,
        1,
        "user",
        0,
        None,
        None,
        username,
        username,
    )
    link = AccountRow(f"g{pk}", f"uid{pk}", "github", f"id{pk}", None, 1, 1)
    return Mapped(pk, user, (link,), None, None, ())


def settled(*rows: Mapped, found: Found | None = None, known: Known | None = None) -> Settled:
    return settle(rows, found or Found(), known or Known(), source="User")


OURS = Known(links={"1": Link("id1", "legacy", "import")}, owners={"id1": ("User", "1")})


def test_a_new_user_is_written() -> None:
    assert settled(row("1")).new == [row("1")]


def test_one_that_an_earlier_run_wrote_is_there() -> None:
    done = settled(row("1"), found=Found(ids=frozenset({"id1"})), known=OURS)
    assert (done.there, done.to_write) == ([row("1")], [])


def test_a_claim_without_its_user_is_written_again() -> None:
    assert settled(row("1"), known=OURS).renewed == [row("1")]


def test_an_id_without_a_claim_belongs_to_somebody_else() -> None:
    done = settled(row("1"), found=Found(ids=frozenset({"id1"})))
    assert [reject.reason for reject in done.rejects] == [RejectReason.TARGET_TAKEN]


def test_an_id_claimed_for_another_source_is_taken() -> None:
    known = Known(owners={"id1": ("AdminUser", "1")})
    done = settled(row("1"), found=Found(ids=frozenset({"id1"})), known=known)
    assert done.rejects[0].detail == "AdminUser 1 has the same id at Auther"


def test_an_address_of_somebody_else_is_taken_and_an_older_claim_goes() -> None:
    found = Found(emails={"1@x.org": "other"})
    assert settled(row("1"), found=found).stale_ids == []
    done = settled(row("1"), found=found, known=OURS)
    assert done.rejects[0].reason is RejectReason.TARGET_TAKEN
    assert "1@x.org" not in done.rejects[0].detail
    assert done.stale_ids == ["id1"]


def test_an_identity_of_somebody_else_is_taken() -> None:
    done = settled(row("1"), found=Found(subjects={("github", "uid1"): "other"}))
    assert done.rejects[0].reason is RejectReason.IDENTITY_TAKEN


def test_a_user_name_of_somebody_else_is_dropped_and_noted() -> None:
    done = settled(row("1", username="ada"), found=Found(usernames={"ada": "other"}))
    (kept,) = done.new
    assert (kept.user.username, kept.user.display_username) == (None, None)
    assert kept.notes == (Note.USERNAME_DROPPED,)


def test_within_a_page_the_first_one_keeps_address_and_name() -> None:
    done = settled(
        row("1", email="a@x.org", username="ada"),
        row("2", email="a@x.org"),
        row("3", username="ada"),
    )
    assert [kept.pk for kept in done.new] == ["1", "3"]
    assert done.new[1].user.username is None
    assert [reject.pk for reject in done.rejects] == ["2"]


def test_a_user_linked_at_a_login_stays_as_linked() -> None:
    known = Known(links={"1": Link("made-by-auther", "auther", "jit")})
    assert settled(row("1"), known=known).there == [row("1")]


def test_a_user_who_moved_is_never_brought_back() -> None:
    known = Known(links={"1": Link("id1", "auther", "import")}, owners={"id1": ("User", "1")})
    assert settled(row("1"), known=known).there == [row("1")]
