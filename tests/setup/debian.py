"""Parts from Debian's packages: through apt as root, otherwise unpacked beside the project."""

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass

from tests.setup import unpack
from tests.setup.paths import use_parts
from tests.setup.steps import PartMissingError, SetupError, run, say


@dataclass(frozen=True)
class Part:
    """Packages that belong together, and how one sees that they are there.

    Attributes:
        name: For people.
        packages: Debian's names.
        probe: A command that succeeds when all of it can be used.
    """

    name: str
    packages: tuple[str, ...]
    probe: tuple[str, ...]


_GEMS = ["bundler", "devise", "devise-two-factor", "jwt", "pg", "puma", "rails", "rbnacl"]
PARTS: dict[str, Part] = {
    "rails": Part(
        "Rails with Devise",
        # The metapackage `rails` asks for Debian's own Node.js, which conflicts with others.
        (
            "ruby-rails",
            "ruby-devise",
            "ruby-devise-two-factor",
            "ruby-jwt",
            "ruby-rbnacl",
            "ruby-pg",
            "puma",
            "bundler",
        ),
        (
            "ruby",
            "-e",
            f"{_GEMS}.each {{ |name| gem name }}; require 'pg'; require 'rbnacl'; require 'puma'",
        ),
    ),
    "chromium": Part(
        "Chromium with its driver",
        ("chromium", "chromium-driver"),
        ("sh", "-c", "chromium --version && chromedriver --version"),
    ),
}


def ensure(key: str) -> None:
    """Install a part.

    Raises:
        PartMissingError: it can't be had here, with the reason.
    """
    use_parts()
    part = PARTS[key]
    if is_there(key):
        return
    try:
        _install(part)
    except SetupError as error:
        raise PartMissingError(str(error)) from error
    use_parts()
    if not is_there(key):
        raise PartMissingError(f"the packages are in place, but do not work: {_why(part)}")


def is_there(key: str) -> bool:
    """Whether a part can be used."""
    probe = PARTS[key].probe
    if shutil.which(probe[0]) is None:
        return False
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _install(part: Part) -> None:
    names = " ".join(part.packages)
    if shutil.which("apt-get") is None:
        raise SetupError(f"this is not Debian: install what is there in the packages {names}")
    if os.geteuid() == 0:
        say(f"Debian packages through apt: {names}")
        _update()
        options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "install", *options, *part.packages], env=environment)
    else:
        say(f"not root: Debian packages unpacked into .parts: {names}")
        # All parts at once: what is unpacked is one tree.
        unpack.unpack(sorted({package for each in PARTS.values() for package in each.packages}))


@functools.cache
def _update() -> None:
    run(["apt-get", "update", "-qq"], env={"DEBIAN_FRONTEND": "noninteractive"})


def _why(part: Part) -> str:
    done = subprocess.run(
        part.probe, capture_output=True, text=True, errors="replace", check=False
    )
    return done.stderr.strip()[-500:]
