from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from migrator.cli.main import cli
from migrator.core.approval import Matter
from migrator.core.errors import HeldError, RefusedError, UsageError
from migrator.runner.approving import approved
from tests.runner.approvals import Team

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

MATTER = Matter("gate override quiet", "quiet", ("quiet is FAILED: 4 is above 0",), {"spec": "ab"})


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.chdir(tmp_path)
    made = Team(tmp_path)
    made.configure("alice", "bob")
    for name in made.keys:
        file = tmp_path / f"{name}.key"
        file.touch(mode=0o600)
        file.write_text(made.keys[name])
    return made


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(cli, ["approve", *arguments], input=answer, catch_exceptions=True)


def ask(team: Team, reason: str = "known") -> str:
    with pytest.raises(HeldError), approved(team.context(), MATTER, reason=reason):
        pass
    return str(team.request())


def sign(request: str, name: str, key: str = "", answer: str = "y\n") -> Result:
    return run("sign", request, "--key", f"file:{key or name}.key", "--as", name, answer=answer)


def test_it_is_said_in_words_and_signed_after_a_yes(team: Team) -> None:
    request = ask(team, reason="a \x1b[2Jcrawler")
    shown = sign(request, "alice")
    assert shown.exit_code == 0, shown.output
    assert "asks for: gate override quiet in migration shop" in shown.output
    assert "  quiet is FAILED: 4 is above 0" in shown.output
    assert "reason: a ?[2Jcrawler" in shown.output
    assert "Do you, alice, approve this?" in shown.output
    assert sign(request, "bob").exit_code == 0
    with approved(team.context(), MATTER) as found:
        assert found.approvers == ("alice", "bob")


def test_a_no_signs_nothing(team: Team) -> None:
    request = ask(team)
    assert sign(request, "alice", answer="n\n").exit_code != 0
    listed = run("list")
    assert "gate override quiet until" in listed.output
    assert "0 of 2 approvals" in listed.output


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [("alice", "bob", "not alice's"), ("carol", "carol", "is no approver")],
)
def test_what_would_not_count_is_refused_at_once(
    team: Team, name: str, key: str, said: str
) -> None:
    refused = sign(ask(team), name, key)
    assert isinstance(refused.exception, RefusedError)
    assert said in refused.exception.message
    assert team.keys[key] not in refused.output


def test_what_is_no_request_is_a_usage_error(team: Team) -> None:
    refused = sign("migrator.toml", "alice")
    assert isinstance(refused.exception, UsageError)


def test_a_new_key_is_private_and_its_public_half_goes_into_the_configuration(
    team: Team, tmp_path: Path
) -> None:
    made = run("keygen", "dora")
    assert made.exit_code == 0, made.output
    key = tmp_path / "dora.key"
    assert key.stat().st_mode & 0o077 == 0
    assert key.read_text().strip() not in made.output
    snippet = made.output.partition("the private key")[0]
    team.configure("alice", more=snippet)
    assert [one.name for one in team.context().config.approvers] == ["dora", "alice"]
    assert isinstance(run("keygen", "dora").exception, UsageError)
    assert isinstance(run("keygen", "Dora!").exception, UsageError)
