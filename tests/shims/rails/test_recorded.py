"""Tokens that a running Auther gave are accepted as they are: iat in milliseconds, iat in seconds."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import jwt

from migrator.shims.rails import RailsTarget
from tests.parts.rails import settings_for
from tests.shims.rails.club import Club

DRIVER = Path(__file__).with_name("recorded_driver.rb")
RECORDED = Path(__file__).parents[2] / "data" / "auther_recorded.json"
TWO_DAYS_S = 2 * 24 * 3600


def verified(club: Club, *later_s: int) -> list[list[str]]:
    """Give the two tokens' subjects, or why they are refused, so long after the recording, each time anew."""
    settings = replace(
        settings_for(club.issuer)(4000, club.app.stage.public_key),
        issuers=("http://localhost:3000",),
        audiences=("test-payload-spa-client", "payload-admin"),
    )
    text = RailsTarget().files(settings)["config/initializers/auther_cutover.rb"]
    configure = text.split("AutherCutover.install")[0]
    done = subprocess.run(
        ["bundle", "exec", "ruby", "-Ilib", str(DRIVER), configure, *map(str, later_s)],
        cwd=club.app.folder,
        env=club.app.environment,
        input=RECORDED.read_text(),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_both_verify_when_they_were_given(running_club: Club) -> None:
    recorded = json.loads(RECORDED.read_text())
    subjects = [
        jwt.decode(recorded[name]["token"], options={"verify_signature": False})["sub"]
        for name in ("id_token", "set_auth_jwt")
    ]
    assert verified(running_club, 0) == [subjects]


def test_neither_verifies_two_days_later_or_an_hour_before(running_club: Club) -> None:
    later, before = verified(running_club, TWO_DAYS_S + 60, -3600)
    assert later == ["expired", "expired"]
    assert before == ["not_yet_valid", "not_yet_valid"]
