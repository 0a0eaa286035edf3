"""What a user gets from the wheel: both packages with their SQL and templates, and the command."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new virtual environment with the wheel; dependencies are lent by the running one."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", f"--python={folder}/bin/python"]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "install", *options, wheel], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin"


def test_the_wheel_carries_every_file_of_both_packages(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "migrator", "phases"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert {Path(name).suffix for name in tracked} >= {".py", ".sql", ".toml"}
    assert tracked - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {"migrator", "phases"} == {top for top in tops if not top.endswith(".dist-info")}


def test_the_command_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "migrator", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "preflight" in done.stdout


def test_the_installed_package_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    script = "import migrator, phases; print(migrator.__file__, phases.__file__)"
    done = subprocess.run(
        [installed / "python", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(path.startswith(str(installed.parent)) for path in done.stdout.split())


def test_a_written_configuration_comes_from_the_wheels_template(
    installed: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [installed / "migrator", "init", "--verified-when", "confirmed"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "migrator.toml").read_text().lstrip().startswith("#")
