from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.config.load import load
from tests.cli.command import migrator, migrator_process

if TYPE_CHECKING:
    from pathlib import Path

INIT = ("init", "--name", "shop", "--verified-when", "confirmed")


def test_init_writes_a_valid_file_and_closed_keys(tmp_path: Path) -> None:
    ran = migrator_process(tmp_path, *INIT)
    assert ran.code == 0, ran.err
    assert load(tmp_path / "migrator.toml").migration.name == "shop"
    for key in ("migration.key", "stage.key"):
        path = tmp_path / ".migrator" / key
        assert path.stat().st_mode & 0o777 == 0o600
        assert len(path.read_text().strip()) == 43


def test_init_changes_nothing_that_exists(tmp_path: Path) -> None:
    migrator(tmp_path, *INIT)
    before = (tmp_path / ".migrator/migration.key").read_text()
    (tmp_path / "migrator.toml").unlink()
    assert migrator(tmp_path, *INIT).code == 0
    assert (tmp_path / ".migrator/migration.key").read_text() == before
    again = migrator(tmp_path, *INIT)
    assert again.code == 2
    assert "exists already" in again.err


@pytest.mark.parametrize("name", ["Shop", "a b", 'x"\n[evil]', ""])
def test_a_name_that_cannot_go_into_ids_is_refused(tmp_path: Path, name: str) -> None:
    ran = migrator(tmp_path, "init", "--name", name, "--verified-when", "never")
    assert ran.code == 2
    assert not (tmp_path / "migrator.toml").exists()


def test_the_choice_who_is_verified_cannot_be_left_out(tmp_path: Path) -> None:
    ran = migrator(tmp_path, "init")
    assert ran.code == 2
    assert "--verified-when" in ran.err


def test_another_file_can_be_named(tmp_path: Path) -> None:
    assert migrator(tmp_path, "--config", "other.toml", *INIT).code == 0
    assert migrator(tmp_path, "--config", "other.toml", "status").code == 0
