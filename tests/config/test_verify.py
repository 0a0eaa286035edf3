"""`[verify]`: what the suite must know of an application."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from migrator.config.verify import VerifySection


def test_only_whoami_need_be_said() -> None:
    section = VerifySection.model_validate({"whoami": "/me"})

    assert (section.workers, section.jwks_cooldown) == (1, timedelta(seconds=30))
    assert (section.form, section.post, section.exchange) == (None, None, False)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("no group", "a regular expression with one group"),
        ("(two) (groups)", "a regular expression with one group"),
        ("(open", "not a regular expression"),
    ],
)
def test_a_token_is_found_by_one_group(pattern: str, message: str) -> None:
    form = {"path": "/login", "csrf": {"pattern": pattern}}

    with pytest.raises(ValidationError, match=message):
        VerifySection.model_validate({"form": form})


def test_a_form_stands_where_it_is_sent_unless_it_says_otherwise() -> None:
    section = VerifySection.model_validate({"form": {"path": "/login"}})

    assert section.form is not None
    assert (section.form.page, section.form.accepted) == ("", (302, 303))
