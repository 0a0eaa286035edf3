from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock, SystemClock
from migrator.core.stage import Stage
from migrator.dashboards.populations_view import lines
from migrator.runner.gating.census import take_census
from migrator.runner.gating.keeping import keep_left, recall_left
from migrator.runner.gating.who import KINDS, Asked, masked, who
from phases import p3_drain
from tests.parts.any_database import run_sql
from tests.parts.drain import Drain

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.gating.who import Left, LeftPage

IDENTITY = """
CREATE TABLE migrator_identity (
  source text, user_pk text, auther_id text, home text DEFAULT 'legacy', origin text DEFAULT 'import',
  pinned_reason text, last_legacy_at timestamptz, last_auther_at timestamptz, PRIMARY KEY (source, user_pk))
"""


@pytest.fixture
def drain(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Drain:
    """600 Devise users; three of them pinned, two seen lately, four remembered; 42 holds two sessions."""
    run_sql(devise_db, "DROP TABLE sessions")
    parts = Drain(tmp_path, devise_db, ())
    monkeypatch.setenv("MIGRATION_KEY", "k" * 40)
    for name, value in parts.env.items():
        monkeypatch.setenv(name, value)
    parts.prepare()
    run_sql(devise_db, IDENTITY)
    run_sql(
        devise_db,
        "INSERT INTO migrator_identity (source, user_pk, auther_id, pinned_reason, last_legacy_at)"
        " SELECT 'User', id::text, 'a' || id, CASE WHEN id IN (2, 3, 5) THEN 'second factor' END,"
        " CASE WHEN id IN (3, 7) THEN now() - interval '1 day' WHEN id = 9 THEN now() - interval '30 days' END"
        " FROM users",
    )
    run_sql(devise_db, "UPDATE users SET remember_created_at = NULL")
    run_sql(
        devise_db,
        "UPDATE users SET remember_created_at = now() - CASE id WHEN 3 THEN interval '1 year'"
        " ELSE interval '1 day' END WHERE id IN (1, 2, 3, 4)",
    )
    parts.sign_in("user", rows=2)
    parts.sign_in("visitor", rows=3)
    return parts


def listed(drain: Drain, kind: str, *, after: str = "", rows: int = 50) -> LeftPage:
    (page,) = who(drain.context(), [kind], Asked(after, rows))
    return page


def users(left: tuple[Left, ...]) -> list[str]:
    return [each.user for each in left]


def test_pinned_users_come_with_the_reason_and_their_address(drain: Drain) -> None:
    page = listed(drain, "pinned")
    assert users(page.left) == ["2", "3", "5"]
    assert all("@" in each.email for each in page.left)
    assert page.left[1].why.startswith("pinned: second factor, last seen 20")
    assert "acknowledge the list" in page.todo


def test_pages_follow_each_other_to_the_end(drain: Drain) -> None:
    for kind, everybody in (("pinned", ["2", "3", "5"]), ("remembered", ["1", "2", "3", "4"])):
        found, after = [], ""
        while True:
            page = listed(drain, kind, after=after, rows=2)
            found += users(page.left)
            if page.after is None:
                break
            after = page.after
        assert found == everybody


def test_those_seen_lately_and_those_who_hold_a_session(drain: Drain) -> None:
    assert users(listed(drain, "recent").left) == ["3", "7"]
    direct = listed(drain, "sessions").left
    assert users(direct) == ["42", "42"]
    take_census(drain.context())
    (by_census,) = listed(drain, "sessions").left
    assert (by_census.user, by_census.why[:11]) == ("42", "2 sessions,")
    assert by_census.email


def test_remembered_users_are_counted_until_the_last_token_has_ended(drain: Drain) -> None:
    found = p3_drain.populations(drain.context())
    assert (found.remember_me, found.remember_me_recent) == (4, 3)
    assert (found.sessions.holding, found.foreign_requests, found.clients) == (2, None, None)
    later = drain.context(clock=ManualClock(SystemClock().now() + timedelta(days=14, hours=1)))
    assert p3_drain.populations(later).remember_me == 0
    assert who(later, ["remembered"], Asked("", 5))[0].left == ()
    drain.begin(Stage.DUAL)
    still_issued = drain.context(clock=later.clock)
    assert p3_drain.populations(still_issued).remember_me == 4


def test_users_are_counted_by_home_and_by_when_they_were_last_seen(drain: Drain) -> None:
    run_sql(
        drain.dsn,
        "UPDATE migrator_identity SET home = 'auther', last_auther_at = now() WHERE user_pk = '9'",
    )
    found = p3_drain.populations(drain.context()).homes
    assert found is not None
    assert (found.legacy, found.auther, found.pinned, found.doubts) == (599, 1, 3, ())
    seen = {row.within: (row.legacy, row.auther) for row in found.seen if row.legacy or row.auther}
    assert seen == {"1h": (0, 1), "7d": (2, 0), "90d": (1, 0), "never": (597, 599)}
    said = lines(p3_drain.populations(drain.context()))
    assert "users by home         legacy 599, 3 of them pinned; auther 1" in said
    ctx = drain.context()
    keep_left(ctx)
    kept = recall_left(ctx)
    assert kept is not None
    assert kept.homes == found


def test_without_its_table_no_home_is_known(drain: Drain) -> None:
    run_sql(drain.dsn, "ALTER TABLE migrator_identity RENAME TO former_identities")
    found = p3_drain.populations(drain.context())
    assert found.homes is not None
    assert "there is no table migrator_identity yet" in found.homes.doubts[0]
    assert any(line.startswith("users by home         unknown:") for line in lines(found))


def test_without_the_column_nobody_is_remembered(drain: Drain) -> None:
    run_sql(drain.dsn, "ALTER TABLE users DROP COLUMN remember_created_at")
    assert p3_drain.populations(drain.context()).remember_me == 0


def test_a_users_table_that_is_away_is_a_doubt_and_no_number(drain: Drain) -> None:
    run_sql(drain.dsn, "ALTER TABLE users RENAME TO people")
    found = p3_drain.populations(drain.context())
    assert (found.remember_me, "there is no table public.users" in found.doubts[0]) == (None, True)


def test_people_are_masked_the_same_way_every_time(drain: Drain) -> None:
    pages = who(drain.context(), list(KINDS), Asked("", 50))
    shown = masked(pages, b"k" * 40, "User")
    again = masked(pages, b"k" * 40, "User")
    assert shown == again
    for page, hidden in zip(pages, shown, strict=True):
        for each, one in zip(page.left, hidden.left, strict=True):
            assert (one.user != each.user, one.email != each.email) == (True, bool(each.email))
    assert masked(pages, b"l" * 40, "User") != shown


def test_what_is_kept_for_the_page_names_nobody_and_is_listed_anew_after_a_while(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(SystemClock().now())
    ctx = drain.context(clock=clock)
    keep_left(ctx)
    kept = recall_left(ctx)
    assert kept is not None
    assert [(row.kind, len(row.people), row.more) for row in kept.kinds] == [
        ("pinned", 3, False),
        ("sessions", 2, False),
        ("remembered", 4, False),
        ("recent", 2, False),
    ]
    emails = {each.email for page in who(ctx, ["pinned"], Asked("", 5)) for each in page.left}
    assert not emails & {one.email for row in kept.kinds for one in row.people}
    clock.sleep(599)
    keep_left(ctx)
    assert recall_left(ctx) == kept
    monkeypatch.setenv("MIGRATION_KEY", "short")
    clock.sleep(2)
    keep_left(ctx)
    again = recall_left(ctx)
    assert again is not None
    assert (again.kinds, again.doubt) == ((), "migration.key has 5 bytes, at least 32 are needed")
