"""The generated code by its own language's tools, by the test that comes with it, and behind Warden."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.shims.interface import ShimSettings
from migrator.shims.rack import RackTarget
from tests.parts import require
from tests.parts.program import write_files
from tests.shims.golden import NO_LEGACY, SETTINGS

CHECK = "https://id.example.org/check"
DELEGATED = replace(SETTINGS, delegate_permissions=True, check_permission_url=CHECK)
VARIANTS = {
    "both sides": SETTINGS,
    "with permissions": DELEGATED,
    "no legacy side": NO_LEGACY,
    "no users table": replace(DELEGATED, legacy=False, users_table=""),
}
WARDEN = Path(__file__).with_name("warden_driver.rb")
GEMS = {"jwt", "rbnacl", "pg", "rack"}
# Ruby's own, as far as it is used.
STANDARD = {
    *("base64", "digest", "fileutils", "json", "logger", "net/http", "openssl"),
    *("pstore", "securerandom", "set", "socket", "time", "uri"),
}


def ruby(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Ruby in the folder of the shim."""
    return subprocess.run(
        ["ruby", *map(str, command)], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_it_parses_without_a_warning_and_the_test_that_comes_with_it_passes(
    tmp_path: Path, name: str
) -> None:
    require("rack")
    write_files(tmp_path, RackTarget().files(VARIANTS[name]))
    files = sorted(tmp_path.rglob("*.rb"))
    assert all(file.read_text().startswith("# frozen_string_literal: true\n") for file in files)
    script = "ARGV.each { |file| RubyVM::InstructionSequence.compile_file(file) }"
    parsed = ruby(tmp_path, "-w", "-e", script, *files)
    assert (parsed.returncode, parsed.stderr) == (0, "")
    ran = ruby(tmp_path, "test/auther_cutover_test.rb")
    assert re.search(
        r"^1\d runs, \d+ assertions, 0 failures, 0 errors, 0 skips", ran.stdout, re.MULTILINE
    ), ran.stdout + ran.stderr


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_whole_and_needs_what_its_readme_names(name: str) -> None:
    files = RackTarget().files(VARIANTS[name])
    library = {
        Path(path).stem for path in files if re.fullmatch(r"lib/auther_cutover/\w+\.rb", path)
    }
    required = set(
        re.findall(
            r'^require "auther_cutover/(\w+)"$', files["lib/auther_cutover.rb"], re.MULTILINE
        )
    )
    readme = files["docs/auther_cutover.md"]
    named = {Path(path).stem for path in re.findall(r"`([\w/…]+\.rb)`", readme)}
    assert library == required == named - {"auther_cutover", "auther_cutover_test"}
    code = "".join(text for path, text in files.items() if path.startswith("lib/"))
    needed = set(re.findall(r'^require "([\w/]+)"$', code, re.MULTILINE)) - {
        f"auther_cutover/{part}" for part in library
    }
    assert {one.partition("/")[0] for one in needed - STANDARD} <= GEMS


@pytest.mark.parametrize("settings", [ShimSettings.placeholders(), SETTINGS])
def test_what_is_missing_stops_the_start_and_is_named(
    tmp_path: Path, settings: ShimSettings
) -> None:
    require("rack")
    write_files(tmp_path, RackTarget().files(settings))
    said = ruby(tmp_path, "-Ilib", "config/auther_cutover.rb").stderr
    missing = settings.missing() or ("MIGRATOR_COOKIE_SECRET",)
    assert "Misconfigured" in said
    assert all(name in said for name in missing)


def test_behind_warden_with_the_adapter_of_the_readme(tmp_path: Path) -> None:
    require("rack")
    files = RackTarget().files(SETTINGS)
    write_files(tmp_path, files)
    adapter = re.search(
        r"( +)class WardenSessions.*?\n\1end\n", files["docs/auther_cutover.md"], re.DOTALL
    )
    assert adapter
    ran = ruby(tmp_path, WARDEN, adapter[0])
    assert ran.returncode == 0, ran.stderr
    alice, bob = ({"user": pk, "seen": pk} for pk in "12")
    said = json.loads(ran.stdout)
    assert said == {
        "session": alice,
        "token": alice,
        "both": alice,
        "conflict": 401,
        "nobody": 401,
        "detector": True,
        "cookie_of_a_token": None,
        "closed": [303, "/auth/auther/start?return_to=%2Flogin%3Fid%3D1"],
        "goes_on": bob,
        "ended": 401,
    }
