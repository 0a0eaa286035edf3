from __future__ import annotations

import pytest

from migrator.core.redact import mask_email, scrub, scrub_for_others


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("member1@example.org", "m…1@e…e.org"),
        ("ab@x.de", "…@….de"),
        ("no-at-sign", "n…n"),
        ("", "(none)"),
        (None, "(none)"),
    ],
)
def test_an_address_is_masked(email: str | None, shown: str) -> None:
    assert mask_email(email) == shown


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql://app:hunter2@db/x",
        "host=db password=hunter2 user=app",
        "host=db password='hunter2' user=app",
    ],
)
def test_a_password_in_a_driver_message_is_taken_out(secret: str) -> None:
    assert "hunter2" not in scrub(f"connection failed: {secret}")


def test_hashes_tokens_and_envelopes_are_taken_out() -> None:
    bcrypt = "$2a$12$" + "a" * 53
    said = scrub(f"row {bcrypt} and migrator:v1:bcrypt:peppers=none:{bcrypt} and eyJh.eyJz.c2ln")
    assert said == "row *** and *** and ***"


def test_addresses_in_a_text_for_others_are_masked_however_long_it_is() -> None:
    said = scrub_for_others(
        "l" * 100_000 + " member1@example.org, (a.b@mail.example.org) web-1@host"
    )
    assert said.endswith(" m…1@e…e.org, (a…b@m…e.org) web-1@host")
