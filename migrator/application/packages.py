"""Lock files and manifests: which packages an application really runs, or at least asks for."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

_GEM = re.compile(r"^ {4}(?P<name>[A-Za-z0-9_.-]+) \((?P<version>[^)]+)\)$", re.MULTILINE)
_REQUIREMENT = re.compile(
    r"^\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?[ \t]*(?P<version>[=<>~!][^;#\\\n]*)?",
    re.MULTILINE,
)
_GO = re.compile(
    r"^\s*(?:require\s+)?(?P<name>[\w.-]+\.[\w.-]+/\S+)\s+(?P<version>v\S+)", re.MULTILINE
)
_ANY = "*"

Found = dict[str, str]


def gems(text: str) -> Found:
    """Read Gemfile.lock."""
    return {found["name"]: found["version"] for found in _GEM.finditer(text)}


def _requirements(text: str) -> Found:
    return {
        _normal(found["name"]): (found["version"] or _ANY).strip().removeprefix("==")
        for found in _REQUIREMENT.finditer(text)
    }


def _python_lock(text: str) -> Found:
    """Read poetry.lock or uv.lock."""
    return {
        _normal(one["name"]): str(one.get("version", _ANY))
        for one in tomllib.loads(text)["package"]
    }


def _pyproject(text: str) -> Found:
    project = tomllib.loads(text)
    named = project.get("project", {}).get("dependencies", [])
    poetry = project.get("tool", {}).get("poetry", {}).get("dependencies", {})
    return _requirements("\n".join(named)) | {
        _normal(name): str(version) for name, version in poetry.items()
    }


def _pipfile(text: str) -> Found:
    locked = json.loads(text).get("default", {})
    return {_normal(name): _version(one) for name, one in locked.items()}


def _npm_lock(text: str) -> Found:
    packages = json.loads(text).get("packages", {})
    inside = "node_modules/"
    return {
        path.removeprefix(inside): _version(one)
        for path, one in packages.items()
        if path.startswith(inside)
    }


def _package_json(text: str) -> Found:
    return {
        name: str(version) for name, version in json.loads(text).get("dependencies", {}).items()
    }


def _composer_lock(text: str) -> Found:
    return {
        one["name"]: _version(one).removeprefix("v")
        for one in json.loads(text).get("packages", [])
    }


def _composer_json(text: str) -> Found:
    return {name: str(version) for name, version in json.loads(text).get("require", {}).items()}


def _go_mod(text: str) -> Found:
    return {found["name"]: found["version"] for found in _GO.finditer(text)}


PYTHON = (
    "requirements.txt",
    "requirements/base.txt",
    "requirements/production.txt",
    "pyproject.toml",
    "Pipfile.lock",
    "poetry.lock",
    "uv.lock",
)
NODE = ("package.json", "package-lock.json")
# A later one says it more exactly than the one before.
_FILES: Mapping[str, Callable[[str], Found]] = {
    "Gemfile.lock": gems,
    "requirements.txt": _requirements,
    "requirements/base.txt": _requirements,
    "requirements/production.txt": _requirements,
    "pyproject.toml": _pyproject,
    "Pipfile.lock": _pipfile,
    "poetry.lock": _python_lock,
    "uv.lock": _python_lock,
    "package.json": _package_json,
    "package-lock.json": _npm_lock,
    "composer.json": _composer_json,
    "composer.lock": _composer_lock,
    "go.mod": _go_mod,
}
_BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Packages:
    """What an application asks for.

    Attributes:
        versions: By package.
        said_by: The file that said it, by package.
        unread: Why a file could not be read, by file.
    """

    versions: Found
    said_by: Found
    unread: Found


def packages(root: Path, *, only: Collection[str] = ()) -> Packages:
    """Read an application's manifests and lock files, or some of them only."""
    versions: Found = {}
    said_by: Found = {}
    unread: Found = {}
    for name in _FILES:
        if (only and name not in only) or not (root / name).is_file():
            continue
        try:
            found = _FILES[name]((root / name).read_text(encoding="utf-8"))
        except _BROKEN as error:
            unread[name] = type(error).__name__
            continue
        versions |= found
        said_by |= dict.fromkeys(found, name)
    return Packages(versions, said_by, unread)


def _version(one: Any) -> str:
    return str(one.get("version", _ANY)).removeprefix("==")


def _normal(name: str) -> str:
    """Write a Python package's name as PEP 503 does."""
    return re.sub(r"[-_.]+", "-", name).lower()
