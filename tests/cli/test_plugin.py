"""`migrator import plugin --env-file`: what Auther gets in its environment, and what stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from migrator.auther.plugin.seal import SealKey
from migrator.core.ids import mark_key
from tests.cli import command
from tests.cli.command import Ran

if TYPE_CHECKING:
    from pathlib import Path

CAPABILITIES = (
    "IMPORT",
    "VERIFY",
    "STATISTICS",
    "EVENTS",
    "EXCHANGE",
    "LOGOUT",
    "RESET",
    "CAPTURE",
    "CLIENT",
)
SECRETS = {f"MIGRATOR_SECRET_{name}" for name in CAPABILITIES}
OTHERS = {"MIGRATOR_MARK", "MIGRATOR_SEAL_KEY", "MIGRATOR_WRITE_BACK"}
PEPPER = "a pepper with $igns & spaces"


Migrator = Callable[..., Ran]


@pytest.fixture
def migrator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrator:
    """The command line in the test's folder, with the pepper in the environment."""
    monkeypatch.setenv("PEPPER", PEPPER)
    return lambda *arguments: command.migrator(tmp_path, *arguments)


@pytest.fixture
def site(migrator: Migrator, tmp_path: Path) -> Path:
    """A folder with a configuration and two peppers."""
    assert migrator("init", "--verified-when", "confirmed").code == 0
    config = tmp_path / "migrator.toml"
    peppers = "".join(
        f'[[legacy.peppers]]\nid = "{name}"\nvalue = "env:PEPPER"\n' for name in ("2024-b", "old")
    )
    config.write_text(config.read_text().replace("[auther]\n", f"{peppers}\n[auther]\n", 1))
    return tmp_path


@pytest.fixture
def install(migrator: Migrator) -> Migrator:
    """`import plugin` with an environment file."""
    arguments = ("import", "plugin", "--out", "auther", "--env-file", "auther.env")
    return lambda *options: migrator(*arguments, *options)


def variables(site: Path) -> dict[str, str]:
    lines = re.findall(r"^(\w+)=(.*)$", (site / "auther.env").read_text(), re.MULTILINE)
    return {name: value.strip("'") for name, value in lines}


def test_everything_that_the_plugin_reads(site: Path, install: Migrator) -> None:
    ran = install()
    assert ran.code == 0, ran.err
    found = variables(site)
    assert set(found) == SECRETS | OTHERS | {"MIGRATOR_PEPPER_2024_B", "MIGRATOR_PEPPER_OLD"}
    key = (site / ".migrator/migration.key").read_text().strip().encode()
    assert found["MIGRATOR_MARK"] == mark_key(key).hex()
    assert found["MIGRATOR_WRITE_BACK"] == "bcrypt:cost=12&pepper=2024-b"
    assert found["MIGRATOR_PEPPER_OLD"] == PEPPER
    for name in CAPABILITIES:
        own = (site / f".migrator/plugin-{name.lower()}.secret").read_text().strip()
        assert found[f"MIGRATOR_SECRET_{name}"] == own
        assert len(own) >= 32
    seal = SealKey((site / ".migrator/seal.key").read_text().strip())
    assert found["MIGRATOR_SEAL_KEY"] == seal.public
    assert len({found[name] for name in SECRETS}) == len(SECRETS)


def test_the_one_client_that_may_be_touched(site: Path, install: Migrator) -> None:
    config = site / "migrator.toml"
    config.write_text(config.read_text().replace('client_id = ""', 'client_id = "shop"', 1))
    install()
    assert variables(site)["MIGRATOR_CLIENT_ID"] == "shop"


def test_only_its_owner_may_read_what_is_written(site: Path, install: Migrator) -> None:
    install()
    names = [
        "auther.env",
        ".migrator/seal.key",
        *(f".migrator/plugin-{name.lower()}.secret" for name in CAPABILITIES),
    ]
    assert {(site / name).stat().st_mode & 0o777 for name in names} == {0o600}


def test_no_secret_is_said(site: Path, install: Migrator, migrator: Migrator) -> None:
    ran, again, new = install(), install("--json"), install("--rotate")
    said = "".join(one.out + one.err for one in (ran, again, new))
    said += migrator("ledger", "verify").out + (site / ".migrator/state.db").read_bytes().decode(
        "latin-1"
    )
    for name, value in variables(site).items():
        assert name == "MIGRATOR_WRITE_BACK" or value not in said, name


def test_a_second_time_changes_nothing(site: Path, install: Migrator) -> None:
    install()
    before = {path: path.read_bytes() for path in (site / ".migrator").glob("*.[sk]e*")} | {
        site / "auther.env": (site / "auther.env").read_bytes()
    }
    again = install("--json")
    assert again.code == 0
    assert again.json["env_file"] == {
        "path": "auther.env", "secrets_made": [], "added": [], "changed": [], "kept_though_different": [],
    }  # fmt: skip
    assert {path: path.read_bytes() for path in before} == before


def test_what_is_there_stays_and_what_is_missing_is_added(site: Path, install: Migrator) -> None:
    mine = "# mine\nOTHER='x y'\nexport MIGRATOR_SECRET_RESET=mine\n\n"
    (site / "auther.env").write_text(mine)
    (site / "auther.env").chmod(0o600)
    ran = install()
    assert ran.code == 1
    assert "different, and kept: MIGRATOR_SECRET_RESET" in ran.out
    assert (site / "auther.env").read_text().startswith(mine)
    assert set(variables(site)) >= (SECRETS - {"MIGRATOR_SECRET_RESET"}) | OTHERS


def test_new_secrets_leave_the_old_ones_live(site: Path, install: Migrator) -> None:
    install()
    old = variables(site)
    ran = install("--rotate")
    assert ran.code == 0, ran.err
    new = variables(site)
    for name in SECRETS:
        assert new[name] != old[name]
        assert new[f"{name}_NEXT"] == old[name]
    assert {name: new[name] for name in OTHERS} == {name: old[name] for name in OTHERS}
    assert install("--json").json["env_file"]["kept_though_different"] == []
    install("--rotate")
    assert variables(site)["MIGRATOR_SECRET_IMPORT_NEXT"] == new["MIGRATOR_SECRET_IMPORT"]


def test_what_others_may_read_is_refused(site: Path, install: Migrator) -> None:
    (site / "auther.env").write_text("")
    (site / "auther.env").chmod(0o644)
    ran = install()
    assert (ran.code, "chmod 600" in ran.err) == (2, True)


def test_a_pepper_that_is_not_set(
    site: Path, install: Migrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEPPER", "")
    ran = install()
    assert (ran.code, "PEPPER" in ran.err) == (2, True)
    assert not (site / "auther.env").exists()


def test_a_value_that_does_not_fit_on_a_line(
    site: Path, install: Migrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEPPER", "two\nlines")
    ran = install()
    assert (ran.code, "MIGRATOR_PEPPER_2024_B" in ran.err) == (2, True)
    assert "two" not in ran.err


def test_rotating_needs_the_file(migrator: Migrator) -> None:
    assert migrator("import", "plugin", "--out", "auther", "--rotate").code == 2


def test_lines_of_others_stay_as_they_are(site: Path, install: Migrator) -> None:
    mine = "GREETING='one\u2028two\x0cthree'\nKEY='-----BEGIN\nMORE=1\n-----END'\n"
    (site / "auther.env").touch(mode=0o600)
    (site / "auther.env").write_bytes(mine.encode())
    assert install().code == 0
    assert (site / "auther.env").read_bytes().startswith(mine.encode())
    assert variables(site)["MIGRATOR_MARK"]
