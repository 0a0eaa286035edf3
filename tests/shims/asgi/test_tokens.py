"""What the conformance suite does not say of a token, in the running application."""

import time

import pytest

from tests.shims.asgi.club import ALICE, Club


@pytest.mark.parametrize("exp", [int(time.time() * 1000) + 10**7, 10**400])
def test_an_end_that_is_no_time_is_none(club: Club, exp: int) -> None:
    answer = club.get(bearer=club.token(ALICE, exp=exp))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})


def test_an_identity_with_a_key_that_only_begins_with_a_number_is_no_user(club: Club) -> None:
    club.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('User', '2abc', 'x')"
    )

    assert club.get(bearer=club.issuer.make_token("x")).status_code == 503
    club.sql("DELETE FROM migrator_identity WHERE auther_id = 'x'")


def test_an_identity_of_another_model_is_nobody_here(club: Club) -> None:
    club.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('Admin', '2', 'y')"
    )

    assert club.get(bearer=club.issuer.make_token("y")).status_code == 409
    club.sql("DELETE FROM migrator_identity WHERE auther_id = 'y'")
