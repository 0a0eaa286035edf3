"""Debian packages without root: downloaded with their dependencies, unpacked into .parts, run through small wrappers."""

import os
import shlex
import shutil
from pathlib import Path

from tests.setup.paths import DEBIAN_TREE as TREE
from tests.setup.paths import PARTS, PARTS_BIN
from tests.setup.steps import SetupError, digest, once, run, say

APT = PARTS / "apt"


def unpack(packages: list[str]) -> None:
    """Bring packages and those of their dependencies that this machine lacks.

    Raises:
        SetupError: apt can't find or download them.
    """
    with once(PARTS / "debian-stamp", fingerprint=digest(files=[], values=packages)) as needed:
        if not needed:
            return
        for folder in (TREE, PARTS_BIN):
            shutil.rmtree(folder, ignore_errors=True)
        for archive in _download(packages):
            run(["dpkg", "-x", archive, TREE])
        shutil.rmtree(APT)
        _keep_links_inside()
        _write_wrappers()


def _download(packages: list[str]) -> list[Path]:
    archives = APT / "archives"
    for folder in (APT / "lists" / "partial", archives / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    _apt("update", "-qq")
    _apt("install", "-y", "-qq", "--no-install-recommends", "--download-only", *packages)
    found = sorted(archives.glob("*.deb"))
    if not found:
        raise SetupError("apt had nothing to download, yet Ruby does not find the packages")
    say(f"{len(found)} packages downloaded")
    return found


def _apt(*arguments: str) -> None:
    """Run apt-get on folders of our own: reading the machine's state, changing nothing of it."""
    options = {
        "Dir::State::lists": APT / "lists",
        "Dir::State::extended_states": APT / "extended_states",
        "Dir::Cache": APT,
        "Dir::Cache::archives": APT / "archives",
        "Dir::Log": APT,
        "Debug::NoLocking": "true",
        "Binary::apt-get::APT::Keep-Downloaded-Packages": "true",
        "APT::Keep-Downloaded-Packages": "true",
        "APT::Sandbox::User": "",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    run(["apt-get", *words, *arguments])


def _keep_links_inside() -> None:
    """Point symbolic links that name the machine's root at the unpacked tree instead."""
    for link in TREE.rglob("*"):
        if not link.is_symlink():
            continue
        target = str(link.readlink())
        inside = TREE / target.lstrip("/")
        if target.startswith("/") and inside.exists():
            link.unlink()
            link.symlink_to(inside)


def _write_wrappers() -> None:
    PARTS_BIN.mkdir(parents=True, exist_ok=True)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in _settings())
    for program in sorted((TREE / "usr").glob("*bin/*")):
        start = shlex.quote(str(program))
        if _is_ruby_script(program):
            start = f"ruby {start}"
        wrapper = PARTS_BIN / program.name
        path = f"export PATH={shlex.quote(str(PARTS_BIN))}:$PATH\n"
        wrapper.write_text(f'#!/bin/sh\n{path}{exports}exec {start} "$@"\n')
        wrapper.chmod(0o755)


def _is_ruby_script(program: Path) -> bool:
    with program.open("rb") as file:
        first = file.readline(200)
    return first.startswith(b"#!") and b"ruby" in first


def _settings() -> list[tuple[str, str]]:
    """Where Ruby and Perl of the tree find libraries: first in the tree, then on the machine."""
    libraries = _existing("usr/lib/*-linux-*", "lib/*-linux-*")
    ruby = _existing(
        "usr/lib/ruby/vendor_ruby/3.*",
        "usr/lib/*-linux-*/ruby/vendor_ruby/3.*",
        "usr/lib/ruby/vendor_ruby",
        "usr/lib/ruby/3.*",
        "usr/lib/*-linux-*/ruby/3.*",
    )
    gems = _existing(
        "usr/share/rubygems-integration/*",
        "usr/lib/*-linux-*/rubygems-integration/*",
        "usr/lib/ruby/gems/3.*",
        "var/lib/gems/3.*",
    )
    perl = _existing("usr/share/perl5", "usr/lib/*-linux-*/perl5/5.*")
    return [
        ("LD_LIBRARY_PATH", libraries),
        ("RUBYLIB", ruby),
        ("GEM_PATH", gems),
        ("PERL5LIB", perl),
    ]


def _existing(*patterns: str) -> str:
    found = [path for root in (TREE, Path("/")) for p in patterns for path in sorted(root.glob(p))]
    return os.pathsep.join(str(path) for path in found if path.is_dir())
