"""The generated Go: what Go's own tools say of it, and the tests that its team keeps."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.shims.go import GoTarget, go_literal
from migrator.shims.interface import ShimSettings
from tests.parts import require
from tests.parts.go import go, write_workspace
from tests.shims.golden import KEPT, SETTINGS

# One after the other they share what is compiled.
pytestmark = pytest.mark.xdist_group("conformance-go")
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "shims" / "go"
ODD = 'a "b" \\ \n é \x7f \U0001f600 ` ${x} %s'


@pytest.fixture(scope="module", params=["go", "go-no-legacy", "go-no-users"])
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the shim as it is kept in tests/golden, and the application where it fits."""
    require("go")
    folder = tmp_path_factory.mktemp("workspace")
    settings = KEPT[request.param][1]
    write_workspace(folder, settings, application=bool(settings.users_table))
    return folder


def test_it_is_formatted_as_go_is(workspace: Path) -> None:
    assert go(workspace, "gofmt", "-l", ".").stdout == ""


def test_vet_finds_nothing(workspace: Path) -> None:
    done = go(workspace, "go", "vet", "club/...")
    assert done.returncode == 0, done.stderr


def test_the_tests_that_the_team_keeps_pass(workspace: Path) -> None:
    # Vet has a test of its own, and looks at more.
    done = go(workspace, "go", "test", "-vet=off", "club/autherdualpath")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_benchmark_still_fits(tmp_path: Path) -> None:
    require("go")
    shim = write_workspace(tmp_path, SETTINGS, application=False)
    shutil.copytree(BENCHMARK, tmp_path / "src" / "bench")
    (tmp_path / "src" / "autherdualpath").symlink_to(shim)

    assert go(tmp_path, "gofmt", "-l", "bench").stdout == ""
    done = go(tmp_path, "go", "vet", "bench")
    assert done.returncode == 0, done.stderr


def test_odd_settings_arrive_as_they_are(tmp_path: Path) -> None:
    require("go")
    settings = replace(ShimSettings.placeholders(), client_id=ODD, issuers=(ODD, "b"))
    write_workspace(tmp_path, settings, application=False)
    program = tmp_path / "src" / "club" / "main.go"
    program.write_text(
        'package main\n\nimport (\n\t"os"\n\n\t"club/autherdualpath"\n)\n\nfunc main() {\n'
        "\ts := autherdualpath.Baked()\n\tos.Stdout.WriteString(s.ClientID + s.Issuers[0])\n}\n"
    )

    done = go(tmp_path, "go", "run", "club")

    assert done.stdout == ODD + ODD, done.stderr


def test_a_literal_is_ascii_and_closed() -> None:
    assert go_literal('"\n') == '"\\"\\U0000000a"'


def test_no_secret_is_baked_in() -> None:
    for text in GoTarget().files(ShimSettings.placeholders()).values():
        assert "BEGIN" not in text or "PRIVATE" not in text
