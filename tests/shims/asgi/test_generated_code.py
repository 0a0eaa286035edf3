"""The generated code by its own language's tools, and by the test that comes with it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrator.core.stage import Stage
from migrator.shims.asgi import AsgiTarget
from migrator.shims.interface import ShimSettings
from migrator.shims.python import python_literal
from tests.parts.stage_file import StageFile

BIN = Path(sys.executable).parent
NOT_FOR_GENERATED = "TRY003,TRY400,PLR2004,PLR0913,PLR0917,S105,S106"
LINES = "100"


def configured(tmp_path: Path) -> ShimSettings:
    return replace(
        ShimSettings.placeholders(),
        issuers=("https://id.example.org",),
        audiences=("club",),
        jwks_url="https://id.example.org/api/auth/jwks",
        client_id="club",
        authorize_url="https://id.example.org/api/auth/oauth2/authorize",
        token_url="https://id.example.org/api/auth/oauth2/token",
        redirect_uri="https://club.example.org/auth/callback",
        namespace="club",
        stage_public_key=StageFile(tmp_path / "unused.json").public_key,
    )


VARIANTS: dict[str, dict[str, Any]] = {
    "with a legacy side": {},
    "with permissions": {"delegate_permissions": True, "foreign_paths": ("/api/",)},
    "without a legacy side": {"legacy": False, "delegate_permissions": True},
    "without users": {"legacy": False, "users_table": ""},
}


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS)
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with nothing but the generated files."""
    return write(tmp_path / "app", replace(configured(tmp_path), **request.param))


def write(folder: Path, settings: ShimSettings) -> Path:
    for path, text in AsgiTarget().files(settings).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def run(
    folder: Path, *command: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


# In one process, for the cache's sake.
@pytest.mark.xdist_group("python-types")
def test_types_are_strict(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    check_types(folder, tmp_path_factory)


def check_types(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hold a folder of generated Python against strict types."""
    # What the libraries' types come to is the same for all.
    cache = tmp_path_factory.getbasetemp() / "mypy"
    ran = run(folder, BIN / "mypy", "--strict", "--cache-dir", cache, ".")
    assert ran.returncode == 0, ran.stdout


def test_nothing_to_lint_and_nothing_to_format(folder: Path) -> None:
    lint(folder)


def lint(folder: Path) -> None:
    """Hold a folder of generated Python against the linter and the formatter."""
    rules = "E,W,F,I,UP,B,S,SIM,RET,PL,TRY,RUF,ASYNC,PTH,ARG,C4"
    common = ("--isolated", "--line-length", LINES, ".")
    ignored = (
        "--ignore",
        f"{NOT_FOR_GENERATED},RUF100",
        "--per-file-ignores",
        "tests/*:S101,tests/*:ARG",
    )
    checked = run(folder, BIN / "ruff", "check", "--select", rules, *ignored, *common)
    formatted = run(folder, BIN / "ruff", "format", "--diff", *common)

    assert checked.returncode == 0, checked.stdout
    assert formatted.returncode == 0, formatted.stdout


def test_the_test_that_comes_with_it_passes(folder: Path) -> None:
    ran = run(folder, BIN / "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"1\d passed", ran.stdout)


def test_it_depends_on_what_its_readme_installs_and_not_on_this_project(folder: Path) -> None:
    imported = set()
    for path in (folder / "auther_dual_path").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}

    foreign = imported - set(sys.stdlib_module_names)
    readme = (folder / "auther_dual_path" / "README.md").read_text()
    installed = {"jwt", "httpx", "prometheus_client", "cryptography"}
    assert foreign == installed | ({"psycopg"} if "psycopg" in readme else set())


def test_without_a_configuration_it_refuses_to_start_and_names_what_is_left(
    tmp_path: Path,
) -> None:
    placeholders = ShimSettings.placeholders()
    folder = write(tmp_path / "app", placeholders)

    ran = run(folder, sys.executable, "-c", "import auther_dual_path")

    assert ran.returncode != 0
    assert f"CHANGE_ME is left in {', '.join(placeholders.missing())}" in ran.stderr


@pytest.mark.parametrize(
    "unsafe",
    [
        {"jwks_url": "http://id.example.org/jwks"},
        {"token_url": "http://id.example.org/token"},
        {"redirect_uri": "http://club.example.org/auth/callback"},
        {"jwks_url": "file:///etc/passwd"},
    ],
)
def test_it_refuses_to_start_without_https(tmp_path: Path, unsafe: dict[str, str]) -> None:
    folder = write(tmp_path / "app", replace(configured(tmp_path), **unsafe))

    ran = run(folder, sys.executable, "-c", "import auther_dual_path")

    assert ran.returncode != 0
    assert "must be https" in ran.stderr


@pytest.mark.parametrize(
    "value",
    ["plain", 'a "quoted" word', "back\\slash", "line\nbreak", "ünïcode", "{{ jinja }}", "'"],
)
def test_a_setting_is_a_literal_whatever_it_holds(tmp_path: Path, value: str) -> None:
    made = AsgiTarget().files(replace(configured(tmp_path), build=value, issuers=(value, value)))
    call = next(
        node
        for node in ast.walk(ast.parse(made["auther_dual_path/settings.py"]))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Settings"
    )
    found = {word.arg: ast.literal_eval(word.value) for word in call.keywords}

    assert found["build"] == value
    assert found["issuers"] == (value, value)
    assert ast.literal_eval(python_literal(value)) == value


def test_names_of_tables_are_quoted(tmp_path: Path) -> None:
    odd = replace(configured(tmp_path), users_table='app.we"ird', users_pk="user id")
    text = AsgiTarget().files(odd)["auther_dual_path/identity.py"]

    assert 'FROM "app"."we""ird" u' in text
    assert 'u."user id" = %s' in text


def test_the_readme_names_every_file(folder: Path) -> None:
    readme = (folder / "auther_dual_path" / "README.md").read_text()
    files = {path.name for path in (folder / "auther_dual_path").glob("*.py")}

    named = set(re.findall(r"`(\w+\.py)`", readme)) & files
    assert named | {"__init__.py", "model.py"} == files


def test_a_later_build_can_bake_a_later_stage(tmp_path: Path) -> None:
    later = AsgiTarget().files(replace(configured(tmp_path), baked_stage=Stage.DRAIN))

    assert 'baked_stage="drain"' in later["auther_dual_path/settings.py"]


def test_whatever_is_generated_can_be_taken_out_by_its_readme(folder: Path) -> None:
    readme = (folder / "auther_dual_path" / "README.md").read_text()
    exported = set(re.findall(r'^    "(\w+)",$', _package(folder), re.MULTILINE))
    _, _, removal = readme.partition("## Remove")
    called = {name for name in exported if name.islower() and name not in KEPT_HELPERS}

    assert called <= set(re.findall(r"`(\w+)`", removal)), "a call that nobody is told to remove"


KEPT_HELPERS = {"claimed", "devise_state", "may", "safe_return_path"}


def _package(folder: Path) -> str:
    return (folder / "auther_dual_path" / "__init__.py").read_text()


@pytest.mark.parametrize("secret", ["", "too short"])
def test_it_refuses_to_start_without_a_secret_for_its_cookies(tmp_path: Path, secret: str) -> None:
    folder = write(tmp_path / "app", configured(tmp_path))
    code = "from auther_dual_path.settings import Environment; Environment.read()"

    ran = run(folder, sys.executable, "-c", code, MIGRATOR_COOKIE_SECRET=secret)

    assert ran.returncode != 0
    assert "MIGRATOR_COOKIE_SECRET must have 32 bytes or more" in ran.stderr
