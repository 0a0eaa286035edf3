"""The generated code by its own language's tools, and by the test that comes with it."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.shims.django import DjangoTarget
from migrator.shims.interface import ShimSettings
from migrator.shims.python import without_async
from tests.cli.command import migrator
from tests.parts.django import SOURCE
from tests.parts.program import write_files
from tests.shims.asgi.test_generated_code import VARIANTS, check_types, configured, lint, run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

# Django has no types of its own: what is derived from it, or decorated by it, has none either.
UNTYPED = """
disallow_subclassing_any = False
disallow_untyped_decorators = False
disable_error_code = import-untyped
"""
TYPES = f"[mypy]\n[mypy-auther_dual_path.*]{UNTYPED}[mypy-test_auther_dual_path]{UNTYPED}"
README_INSTALLS = {"jwt", "httpx", "prometheus_client", "cryptography", "django"}
PROJECT = """
SECRET_KEY = "secret-key-of-the-tests-0123456789abcdef0123456789"
INSTALLED_APPS = [
    "auther_dual_path", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "auther_dual_path.middleware.{middleware}",
]
AUTHENTICATION_BACKENDS = [{backends}"django.contrib.auth.backends.ModelBackend"]
ROOT_URLCONF = "urls"
USE_TZ = True
"""
NO_SETTINGS = ShimSettings.placeholders()
PROJECT_FILES = ("project.py", "urls.py")
OWN_BACKEND = '"auther_dual_path.backends.AutherBackend", '


@pytest.fixture(params=VARIANTS, ids=VARIANTS)
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A project with nothing but the generated files and what the README says."""
    settings = replace(configured(tmp_path), **VARIANTS[request.param])
    return write(tmp_path / "app", settings)


def write(folder: Path, settings: ShimSettings) -> Path:
    files = DjangoTarget().files(settings)
    names = ("DualPathMiddleware", OWN_BACKEND) if settings.legacy else ("AutherMiddleware", "")
    project = PROJECT.format(middleware=names[0], backends=names[1])
    write_files(folder, files | {"project.py": project, "urls.py": "urlpatterns = []\n"})
    return folder


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the project's settings."""
    return run(folder, sys.executable, *words, DJANGO_SETTINGS_MODULE="project")


@pytest.mark.xdist_group("python-types")
def test_types_are_strict(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in PROJECT_FILES:
        (folder / name).unlink()
    (folder / "mypy.ini").write_text(TYPES)
    check_types(folder, tmp_path_factory)


def test_nothing_to_lint_and_nothing_to_format(folder: Path) -> None:
    for name in PROJECT_FILES:
        (folder / name).unlink()
    lint(folder)


@pytest.mark.parametrize(
    "name",
    [
        "with a legacy side",
        "without users",
        pytest.param("with permissions", marks=pytest.mark.long),
        pytest.param("without a legacy side", marks=pytest.mark.long),
    ],
)
def test_the_test_that_comes_with_it_passes(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "app", replace(configured(tmp_path), **VARIANTS[name]))
    ran = python(folder, "-m", "django", "test", "tests")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"Ran (8|1\d) tests", ran.stderr)


def test_it_needs_what_its_readme_installs_and_the_readme_names_every_file(folder: Path) -> None:
    package = folder / "auther_dual_path"
    imported = {
        name.split(".")[0]
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == README_INSTALLS
    files = {path.name for path in package.glob("*.py")}
    named = set(re.findall(r"`(\w+\.py)`", (package / "README.md").read_text())) & files
    assert named | {"__init__.py", "model.py"} == files


def test_a_project_that_is_half_installed_does_not_start(tmp_path: Path) -> None:
    folder = write(tmp_path / "app", configured(tmp_path))
    ran = python(folder, "-c", HALF_INSTALLED)
    assert ran.stdout.split("\n")[:5] == ["", "E001", "E001", "E002", "E003"], ran.stderr


HALF_INSTALLED = """
import django
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings
django.setup()
whole = {name: getattr(settings, name) for name in ("MIDDLEWARE", "INSTALLED_APPS", "AUTHENTICATION_BACKENDS")}
for changed in (
    {},
    {"MIDDLEWARE": whole["MIDDLEWARE"][:-1]},
    {"MIDDLEWARE": whole["MIDDLEWARE"][::-1]},
    {"INSTALLED_APPS": whole["INSTALLED_APPS"][::-1]},
    {"AUTHENTICATION_BACKENDS": whole["AUTHENTICATION_BACKENDS"][::-1]},
):
    with override_settings(**changed):
        print(*(one.id.partition(".")[2] for one in run_checks() if one.id.startswith("auther_dual_path")))
"""


def test_without_a_configuration_it_refuses_to_start(tmp_path: Path) -> None:
    folder = write(tmp_path / "app", NO_SETTINGS)
    assert "CHANGE_ME is left in issuers" in python(folder, "-m", "django", "check").stderr


def test_taking_it_out_names_each_place_of_the_application_that_uses_it(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(SOURCE, app, ignore=shutil.ignore_patterns("__pyc*", "plain_*"))
    migrator(tmp_path, "dual-path", "generate", "--target", "django", "--out", "app")
    found = migrator(tmp_path, "dual-path", "take-out", "--out", "app", "--json").json
    used = {use["text"].partition("=")[0].strip(' ,"') for use in found["uses"]}
    assert {
        "auther_dual_path",
        "auther_dual_path.middleware.DualPathMiddleware",
        "auther_dual_path.backends.AutherBackend",
        "AUTHER_ACCOUNT_STATE",
        "AUTHER_EXEMPT_PATHS",
        "from auther_dual_path.doors import login_target",
        "from auther_dual_path.model import AccountState",
    } <= used
    assert found["diff"].count("deleted file") == len(DjangoTarget().files(NO_SETTINGS)) + 1


def test_coroutines_become_functions() -> None:
    text = "async def a() -> None:\n    async with b():\n        return await c() or (await d())\n"
    assert without_async(text) == "def a() -> None:\n    with b():\n        return c() or (d())\n"
