"""Who keeps a shared address does not depend on the order in which rows are met."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrator.core.emails import normalise
from migrator.legacy.emails import SharedEmails

VARIANTS = ["ada@x.org", "Ada@x.org", "ADA@X.ORG", " ada@x.org", "ada@x.org\n", "\u00a0ada@x.org"]


def judge(emails: list[str], *, pages: int = 1) -> SharedEmails:
    made = SharedEmails()
    size = max(1, len(emails) // pages)
    for start in range(0, len(emails), size):
        wanted = set(made.add_odd(emails[start : start + size]))
        made.add_canonical([email for email in emails if email in wanted])
    return made


def losers(emails: list[str], *, pages: int = 1) -> set[str]:
    made = judge(emails, pages=pages)
    return {email for email in emails if made.loses(email, email, normalise(email))}


def test_the_row_that_devise_finds_keeps_the_address() -> None:
    assert losers(["Ada@x.org", "ada@x.org"]) == {"Ada@x.org"}


def test_where_devise_finds_nobody_all_lose() -> None:
    assert losers(["Ada@x.org", "ADA@x.org"]) == {"Ada@x.org", "ADA@x.org"}


def test_a_single_variant_keeps_it() -> None:
    assert losers(["Ada@x.org", "bob@x.org"]) == set()


def test_a_no_break_space_is_part_of_the_address() -> None:
    assert losers(["ada@x.org", "\u00a0ada@x.org"]) == set()


def test_of_equal_rows_the_first_key_is_whom_devise_finds() -> None:
    made = judge(["Ada@x.org"])
    made.add_repeated([("3", "ada@x.org")])
    assert not made.loses("3", "ada@x.org", "ada@x.org")
    assert made.loses("4", "ada@x.org", "ada@x.org")
    assert made.loses("5", "Ada@x.org", "ada@x.org")


def test_a_variant_that_came_after_the_look_loses() -> None:
    assert judge([]).loses("1", "New@x.org", "new@x.org")


@given(st.lists(st.sampled_from(VARIANTS), unique=True), st.randoms(), st.integers(1, 4))
def test_order_and_pages_do_not_matter(emails: list[str], random: object, pages: int) -> None:
    shuffled = list(emails)
    random.shuffle(shuffled)
    assert losers(emails) == losers(shuffled, pages=pages)
