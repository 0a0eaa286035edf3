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
from migrator.shims.interface import ShimSettings
from migrator.shims.laravel import LaravelTarget, php_literal
from tests.parts import require
from tests.parts.laravel import PHP, put_together
from tests.shims.golden import GOLDEN, NO_LEGACY, SETTINGS

pytestmark = pytest.mark.xdist_group("laravel")
VARIANTS = {
    "both sides": SETTINGS,
    "no legacy side": NO_LEGACY,
    "no users table": replace(NO_LEGACY, users_table=""),
}
# No test here asks the database anything.
NO_DATABASE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
CONFIG = "config/auther_cutover.php"
README = "app/AutherCutover/README.md"
# One process for all files: starting PHP takes longer than reading a file.
LINT = (
    "foreach (array_slice($argv, 1) as $path) {"
    " token_get_all(file_get_contents($path), TOKEN_PARSE); }"
)


@pytest.fixture(autouse=True)
def _laravel() -> None:
    require("laravel_shim")


def php(folder: Path, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run PHP in a folder."""
    return subprocess.run(
        [*PHP, *(str(word) for word in words)],
        cwd=folder,
        env=os.environ | NO_DATABASE | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_golden_files_are_php() -> None:
    files = sorted(GOLDEN.glob("laravel*/**/*.php"))
    assert len(files) > 50
    done = php(GOLDEN, "-r", LINT, "--", *files)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", VARIANTS)
def test_the_test_that_comes_with_it_passes(tmp_path: Path, name: str) -> None:
    folder = put_together(tmp_path, VARIANTS[name])
    phpunit = shutil.which("phpunit")
    assert phpunit
    routes = "web" if VARIANTS[name].legacy else "plain"
    ran = php(folder, phpunit, "--colors=never", CLUB_ROUTES=routes)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"OK \(2\d tests", ran.stdout)


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_whole_and_free_of_this_project(name: str) -> None:
    files = LaravelTarget().files(VARIANTS[name])
    code = "".join(text for path, text in files.items() if path.endswith(".php"))
    own = code.replace("/migrator/metrics", "").replace("/migrator/control", "")
    assert "migrator/" not in own
    modules = {Path(path).name for path in files if path.startswith("app/AutherCutover/")}
    table = set(re.findall(r"`([A-Z]\w+\.php)`", files[README]))
    silent = {
        "README.md",
        "routes.php",
        "AutherCutoverServiceProvider.php",
        "DoorClosed.php",
        "LoginFailed.php",
        "Refused.php",
        "Unavailable.php",
    }
    assert table == modules - silent


def start(tmp_path: Path, settings: ShimSettings, **environment: str) -> str:
    """Check settings as the first request does; give what is said against them."""
    folder = put_together(tmp_path, settings)
    script = (
        "$app = require 'bootstrap/app.php';"
        "$app->make(Illuminate\\Contracts\\Console\\Kernel::class)->bootstrap();"
        "try { $app->make(App\\AutherCutover\\Settings::class); }"
        "catch (RuntimeException $error) { echo $error->getMessage(); }"
    )
    ran = php(folder, "-r", script, **environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_half_a_configuration_answers_nobody_and_names_what_is_left(tmp_path: Path) -> None:
    said = start(tmp_path, ShimSettings.placeholders())
    for name in ("issuers", "jwks_url", "client_id", "redirect_uri", "namespace"):
        assert name in said


@pytest.mark.parametrize(
    ("changed", "environment", "named"),
    [
        ({}, {}, ""),
        ({"jwks_url": "http://id.example.org/jwks"}, {}, "jwks_url must be https"),
        ({"token_url": "http://localhost.evil.example/"}, {}, "token_url must be https"),
        ({"plugin_url": "http://id.example.org/"}, {}, "plugin_url must be https"),
        ({"algorithms": ("EdDSA", "HS256")}, {}, "algorithms"),
        ({"audiences": ()}, {}, "must not be empty"),
        ({"stage_public_key": "c2hvcnQ"}, {}, "stage_public_key"),
        ({}, {"MIGRATOR_JWKS_COOLDOWN_S": "31"}, "MIGRATOR_JWKS_COOLDOWN_S"),
    ],
)
def test_what_is_unsafe_answers_nobody(
    tmp_path: Path, changed: dict[str, object], environment: dict[str, str], named: str
) -> None:
    said = start(tmp_path, replace(SETTINGS, **changed), **environment)  # type: ignore[arg-type]
    assert (named in said) if named else (said == "")


ODD = ["plain", "a 'quoted' word", "back\\slash", "$var {$x}", "line\nbreak", "ünïcode", "end\\"]


def test_a_setting_is_a_literal_whatever_it_holds(tmp_path: Path) -> None:
    script = f"echo json_encode([{', '.join(map(php_literal, ODD))}]);"
    assert json.loads(php(tmp_path, "-r", script).stdout) == ODD
    text = LaravelTarget().files(replace(SETTINGS, issuers=tuple(ODD)))[CONFIG]
    assert f"'issuers' => {php_literal(tuple(ODD))}," in text


def test_names_of_tables_are_quoted() -> None:
    odd = LaravelTarget().files(replace(SETTINGS, users_table="a\"p'p.users"))
    assert "FROM (VALUES" in odd["app/AutherCutover/People.php"]
    assert '"a""p\'p".migrator_identity' in odd["app/AutherCutover/People.php"]
    assert '\'"a""p\\\'p".migrator_token\'' in odd["app/AutherCutover/StoredToken.php"]


def test_a_later_build_can_bake_a_later_stage() -> None:
    later = LaravelTarget().files(replace(SETTINGS, baked_stage=Stage.DRAIN))
    assert "'baked_stage' => 'drain'" in later[CONFIG]


def test_each_algorithm_has_its_kind_of_key(tmp_path: Path) -> None:
    folder = put_together(tmp_path, SETTINGS)
    driver = Path(__file__).with_name("algorithms_driver.php")
    said = json.loads(php(folder, driver).stdout)
    for name, answers in said.items():
        known = name in {"EdDSA", "ES256", "RS256"}
        assert answers == ([name, True, False, False, False] if known else None)
