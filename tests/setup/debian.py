"""Rails with Devise, and Laravel, from Debian's packages: through apt as root; Rails also unpacked beside the project."""

import os
import shutil
import subprocess

from tests.setup import unpack
from tests.setup.paths import use_parts
from tests.setup.steps import PartMissingError, SetupError, run, say

# The metapackage `rails` asks for Debian's own Node.js, which conflicts with others.
PACKAGES = [
    "ruby-rails",
    "ruby-devise",
    "ruby-devise-two-factor",
    "ruby-jwt",
    "ruby-rbnacl",
    "ruby-pg",
    "puma",
    "bundler",
]
GEMS = ["bundler", "devise", "devise-two-factor", "jwt", "pg", "puma", "rails", "rbnacl"]
PROBE = [
    "ruby",
    "-e",
    f"{GEMS}.each {{ |name| gem name }}; require 'pg'; require 'rbnacl'; require 'puma'",
]

LARAVEL_PACKAGES = ["php-cli", "php-laravel-framework", "php-pgsql", "php-xml", "php-mbstring"]
LARAVEL_PROBE = [
    "php",
    "-r",
    "require 'Illuminate/autoload.php'; exit(extension_loaded('pdo_pgsql') ? 0 : 1);",
]


def ensure_rails() -> None:
    """Install what the Rails application of the tests needs.

    Raises:
        PartMissingError: it can't be had here, with the reason.
    """
    use_parts()
    if rails_is_there():
        return
    try:
        _install()
    except SetupError as error:
        raise PartMissingError(str(error)) from error
    use_parts()
    if not rails_is_there():
        raise PartMissingError(f"the packages are in place, but Ruby does not find them: {_why()}")


def ensure_laravel() -> None:
    """Install PHP with Laravel.

    Raises:
        PartMissingError: it can't be had here, with the reason; PHP of a folder of ours is not tried.
    """
    if laravel_is_there():
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise PartMissingError(f"not root on Debian: install {' '.join(LARAVEL_PACKAGES)}")
    say(f"Debian packages through apt: {' '.join(LARAVEL_PACKAGES)}")
    try:
        _apt_install(LARAVEL_PACKAGES)
    except SetupError as error:
        raise PartMissingError(str(error)) from error
    if not laravel_is_there():
        raise PartMissingError("the packages are in place, but PHP does not find Laravel")


def laravel_is_there() -> bool:
    """Whether PHP starts and finds Laravel and its driver for PostgreSQL."""
    if shutil.which("php") is None:
        return False
    return subprocess.run(LARAVEL_PROBE, capture_output=True, check=False).returncode == 0


def rails_is_there() -> bool:
    """Whether Ruby starts and loads every gem that the application names."""
    if shutil.which("ruby") is None or shutil.which("bundle") is None:
        return False
    return subprocess.run(PROBE, capture_output=True, check=False).returncode == 0


def _install() -> None:
    if shutil.which("apt-get") is None:
        raise SetupError("this is not Debian: install Ruby with Rails 6.1, Devise, pg and rbnacl")
    if os.geteuid() == 0:
        say(f"Debian packages through apt: {' '.join(PACKAGES)}")
        _apt_install(PACKAGES)
    else:
        say(f"not root: Debian packages unpacked into .parts: {' '.join(PACKAGES)}")
        unpack.unpack(PACKAGES)


def _apt_install(packages: list[str]) -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
    run(["apt-get", "update", "-qq"], env=environment)
    run(["apt-get", "install", *options, *packages], env=environment)


def _why() -> str:
    done = subprocess.run(PROBE, capture_output=True, text=True, errors="replace", check=False)
    return done.stderr.strip()[-500:]
