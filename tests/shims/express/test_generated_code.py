"""The generated code by its own language's tools, and by the test that comes with it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.core.stage import Stage
from migrator.shims.express import ExpressTarget
from migrator.shims.interface import ShimSettings
from migrator.shims.javascript import javascript_literal
from tests.parts import require
from tests.parts.express import put_together
from tests.parts.program import write_files
from tests.setup.paths import EXPRESS_APP
from tests.shims.golden import NO_LEGACY, SETTINGS

VARIANTS = {
    "both sides": SETTINGS,
    "no legacy side": NO_LEGACY,
    "no users table": replace(NO_LEGACY, users_table=""),
}
# With both sides the application is checked too: it is written as the README says.
NOT_IN_IT = {"both sides": ("plain.js",), "no legacy side": ("app.js", "server.js", "users.js")}
BIN = EXPRESS_APP / "node_modules" / ".bin"
README_INSTALLS = {"jose", "pg", "prom-client", "express", "express-session"}


@pytest.fixture(autouse=True)
def _express() -> None:
    require("express")


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False
    )


def program(folder: Path, name: str) -> Path:
    """Fill a folder with the variant and what of the application belongs to it."""
    put_together(folder, VARIANTS[name])
    for file in NOT_IN_IT.get(name, ("app.js", "server.js", "users.js", "plain.js")):
        (folder / file).unlink()
    return folder


def test_types_are_strict_and_the_format_is_prettiers(tmp_path: Path) -> None:
    folders = [program(tmp_path / str(number), name) for number, name in enumerate(VARIANTS)]
    check_types_and_format(BIN, tmp_path, folders)


def check_types_and_format(tools: Path, at: Path, folders: list[Path]) -> None:
    """Have TypeScript and prettier look at all folders: most of each start is reading libraries."""
    types = run(at, tools / "tsc", "--build", *folders)
    assert types.returncode == 0, types.stdout
    files = [file for folder in folders for file in generated(folder)]
    format_ = run(at, tools / "prettier", "--print-width", "120", "--check", *files)
    assert format_.returncode == 0, format_.stderr


def generated(folder: Path) -> list[Path]:
    """Give the generated JavaScript and TypeScript in an application's folder."""
    return sorted(folder.glob("auther-cutover/*.?s")) + sorted(folder.glob("test/*.js"))


@pytest.mark.parametrize("name", VARIANTS)
def test_the_test_that_comes_with_it_passes(tmp_path: Path, name: str) -> None:
    ran = run(put_together(tmp_path / "app", VARIANTS[name]), "node", "--test", "test/")
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^# pass [12]\d$", ran.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", VARIANTS)
def test_it_depends_on_what_its_readme_installs_and_not_on_this_project(name: str) -> None:
    files = ExpressTarget().files(VARIANTS[name])
    code = "".join(text for path, text in files.items() if path.endswith(".js"))
    packages = set(re.findall(r'^import .* from "([a-z@][^":]*)";$', code, re.MULTILINE))
    assert packages - {"passport"} <= README_INSTALLS
    assert "migrator/" not in code.replace("/migrator/metrics", "")


@pytest.mark.parametrize("name", VARIANTS)
def test_the_readme_names_every_file(name: str) -> None:
    files = ExpressTarget().files(VARIANTS[name])
    modules = {Path(path).name for path in files if path.startswith("auther-cutover/")}
    table = set(re.findall(r"`([\w-]+\.js)`", files["auther-cutover/README.md"]))
    silent = {"index.js", "errors.js", "types.d.ts", "express.d.ts", "README.md"}
    assert table == modules - silent


def start(tmp_path: Path, settings: ShimSettings, **environment: str) -> str:
    """Check settings as at the start; give what is said against them."""
    folder = tmp_path / "app"
    write_files(folder, {**ExpressTarget().files(settings), "package.json": '{"type": "module"}'})
    script = (
        'const { settings, readEnvironment, check } = await import("./auther-cutover/settings.js");'
        "check(settings, readEnvironment());"
    )
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        cwd=folder,
        env=os.environ | {"MIGRATOR_COOKIE_SECRET": "c" * 32} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stderr if ran.returncode else ""


def test_half_a_configuration_does_not_start_and_names_what_is_left(tmp_path: Path) -> None:
    said = start(tmp_path, ShimSettings.placeholders())
    for name in ("issuers", "jwksUrl", "clientId", "redirectUri", "namespace", "stagePublicKey"):
        assert name in said


@pytest.mark.parametrize(
    ("changed", "environment", "named"),
    [
        ({}, {}, ""),
        ({"jwks_url": "http://id.example.org/jwks"}, {}, "jwksUrl must be https"),
        ({"token_url": "http://localhost.evil.example/"}, {}, "tokenUrl must be https"),
        ({"redirect_uri": "ftp://club.example.org/"}, {}, "redirectUri must be https"),
        ({"plugin_url": "http://id.example.org/"}, {}, "pluginUrl must be https"),
        ({"algorithms": ("EdDSA", "HS256")}, {}, "algorithms"),
        ({"audiences": ()}, {}, "must not be empty"),
        ({"stage_public_key": "c2hvcnQ"}, {}, "stagePublicKey"),
        ({}, {"MIGRATOR_COOKIE_SECRET": "short"}, "MIGRATOR_COOKIE_SECRET"),
        ({}, {"MIGRATOR_JWKS_COOLDOWN_S": "31"}, "MIGRATOR_JWKS_COOLDOWN_S"),
    ],
)
def test_what_is_unsafe_does_not_start(
    tmp_path: Path, changed: dict[str, object], environment: dict[str, str], named: str
) -> None:
    said = start(tmp_path, replace(SETTINGS, **changed), **environment)  # type: ignore[arg-type]
    assert (named in said) if named else (said == "")


ODD = ["plain", 'a "quoted" word', "back\\slash", "line\nbreak", "ünïcode", "{$ mark $}", "${x}`"]


def test_a_setting_is_a_literal_whatever_it_holds() -> None:
    script = f"console.log(JSON.stringify([{', '.join(javascript_literal(one) for one in ODD)}]))"
    assert json.loads(run(Path(), "node", "-e", script).stdout) == ODD
    text = ExpressTarget().files(replace(SETTINGS, issuers=tuple(ODD)))[
        "auther-cutover/settings.js"
    ]
    assert f"  issuers: {javascript_literal(tuple(ODD))}," in text


def test_names_of_tables_are_quoted() -> None:
    odd = replace(SETTINGS, users_table='app.we"i`rd', users_pk="user ${id}")
    text = ExpressTarget().files(odd)["auther-cutover/people.js"]
    assert 'FROM "app"."we""i\\`rd" u' in text
    assert 'u."user \\${id}" = $1' in text
    assert '"app".migrator_identity' in text


def test_a_later_build_can_bake_a_later_stage() -> None:
    later = ExpressTarget().files(replace(SETTINGS, baked_stage=Stage.DRAIN))
    assert 'bakedStage: "drain"' in later["auther-cutover/settings.js"]


def test_each_algorithm_has_its_kind_of_key(tmp_path: Path) -> None:
    folder = put_together(tmp_path / "app", SETTINGS)
    shutil.copy(Path(__file__).with_name("algorithms_driver.mjs"), folder)
    said = json.loads(run(folder, "node", "algorithms_driver.mjs").stdout)
    for name, answers in said.items():
        expected = ["alice", "signature", "signature"]
        assert answers == (
            expected if name in {"EdDSA", "ES256", "RS256"} else ["no usable keys"] * 3
        )


def test_a_key_that_is_withdrawn_ends_remembered_tokens_without_others_coming(
    tmp_path: Path,
) -> None:
    folder = put_together(tmp_path / "app", SETTINGS)
    shutil.copy(Path(__file__).with_name("withdrawn_driver.mjs"), folder)
    assert json.loads(run(folder, "node", "withdrawn_driver.mjs").stdout) == [
        ["remembered", 1],
        ["remembered", 2],
        ["to be verified", 2],
        ["signature", 2],
    ]
