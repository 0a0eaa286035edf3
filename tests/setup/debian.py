"""Parts from Debian's packages: through apt as root, otherwise unpacked beside the project."""

import functools
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.setup import unpack
from tests.setup.paths import DEBIAN_TREE, GO_PATH, use_parts
from tests.setup.steps import PartMissingError, SetupError, run, say


@dataclass(frozen=True)
class Part:
    """Packages that belong together, and how one sees that they are there.

    Attributes:
        name: For people.
        packages: Debian's names.
        probe: A command that succeeds when all of it can be used.
        beside: Unpacked beside the project for root too: its package would start a service.
    """

    name: str
    packages: tuple[str, ...]
    probe: tuple[str, ...]
    beside: bool = False


_GEMS = ["bundler", "devise", "devise-two-factor", "jwt", "pg", "puma", "rails", "rbnacl"]
_GO_PACKAGES = (
    "github.com/gorilla/sessions",
    "github.com/lib/pq",
    "github.com/prometheus/client_golang/prometheus/promhttp",
    "golang.org/x/crypto/bcrypt",
    "gopkg.in/square/go-jose.v2",
)
_LARAVEL = ("php-cli", "php-laravel-framework", "php-pgsql", "php-xml", "php-mbstring")
_PHP_VERSION = "php -r 'echo PHP_MAJOR_VERSION, \".\", PHP_MINOR_VERSION;'"
_POSTGRES_15 = "/usr/lib/postgresql/15/bin/postgres --version"
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
    "rack": Part(
        "Sinatra",
        (
            "ruby-sinatra",
            "ruby-jwt",
            "ruby-rbnacl",
            "ruby-pg",
            "ruby-bcrypt",
            "ruby-warden",
            "ruby-minitest",
            "puma",
        ),
        (
            "ruby",
            "-e",
            "%w[sinatra/base jwt rbnacl pg bcrypt warden minitest puma].each { |name| require name }",
        ),
    ),
    "go": Part(
        "Go with its packages",
        (
            "golang-go",
            "golang-github-gorilla-sessions-dev",
            "golang-github-lib-pq-dev",
            "golang-github-prometheus-client-golang-dev",
            "golang-golang-x-crypto-dev",
            "golang-gopkg-square-go-jose.v2-dev",
        ),
        ("env", "GO111MODULE=off", f"GOPATH={GO_PATH}", "go", "list", *_GO_PACKAGES),
    ),
    # Unpacked beside the project PHP finds neither its extensions nor its libraries.
    "laravel": Part(
        "Laravel",
        _LARAVEL,
        (
            "php",
            "-r",
            "require 'Illuminate/autoload.php'; exit(extension_loaded('pdo_pgsql') ? 0 : 1);",
        ),
    ),
    "laravel_shim": Part(
        "Laravel's shim",
        (*_LARAVEL, "php-curl", "php-guzzlehttp-guzzle", "php-apcu", "phpunit"),
        (
            "php",
            "-r",
            "array_map(fn ($one) => require $one, %s); exit(extension_loaded('apcu') ? 0 : 1);"
            % ["Illuminate/autoload.php", "GuzzleHttp/autoload.php", "PHPUnit/Autoload.php"],
        ),
    ),
    # Debian would start both servers.
    "php_fpm": Part(
        "PHP-FPM and nginx",
        ("php-fpm", "nginx"),
        (
            "sh",
            "-c",
            f"PATH=$PATH:/usr/sbin; nginx -v && php-fpm$({_PHP_VERSION}) -v",
        ),
        beside=True,
    ),
    "chromium": Part(
        "Chromium with its driver",
        ("chromium", "chromium-driver"),
        ("sh", "-c", "chromium --version && chromedriver --version"),
    ),
    # The server without the service that Debian would start.
    "mariadb": Part(
        "MariaDB",
        ("mariadb-server-core", "mariadb-client-core"),
        ("sh", "-c", "PATH=$PATH:/usr/sbin; mariadbd --version && command -v mariadb-install-db"),
    ),
    "sqitch": Part(
        "sqitch",
        ("sqitch", "libdbd-pg-perl"),
        ("sh", "-c", "sqitch --version && perl -MDBD::Pg -e 1"),
    ),
    # Where Debian starts it by itself, it knows no database and listens on loopback only.
    "pgbouncer": Part(
        "PgBouncer",
        ("pgbouncer",),
        ("sh", "-c", "PATH=$PATH:/usr/sbin; pgbouncer --version"),
    ),
    "postgres15": Part(
        "PostgreSQL 15",
        ("postgresql-15",),
        ("sh", "-c", f"{_POSTGRES_15} || {shlex.quote(str(DEBIAN_TREE))}{_POSTGRES_15}"),
        beside=True,
    ),
    "age": Part("age", ("age",), ("age", "--version")),
    "redis": Part(
        "Redis",
        ("redis-server", "redis-tools"),
        ("sh", "-c", "redis-server --version && redis-cli --version"),
        beside=True,
    ),
    "rails_elsewhere": Part(
        "Rails' adapters for MariaDB and SQLite",
        ("ruby-mysql2", "ruby-sqlite3"),
        ("ruby", "-e", "gem 'devise'; require 'mysql2'; require 'sqlite3'"),
    ),
    "prometheus": Part(
        "Prometheus",
        ("prometheus",),
        ("sh", "-c", "prometheus --version && promtool --version"),
        beside=True,
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
    return _works(PARTS[key])


def _works(part: Part) -> bool:
    if shutil.which(part.probe[0]) is None:
        return False
    return subprocess.run(part.probe, capture_output=True, check=False).returncode == 0


def _install(part: Part) -> None:
    names = " ".join(part.packages)
    if shutil.which("apt-get") is None:
        raise SetupError(f"this is not Debian: install what is there in the packages {names}")
    is_root = os.geteuid() == 0
    if is_root and not part.beside:
        _install_together()
        if not _works(part):
            _apt_install(part.packages)
    else:
        say(f"Debian packages unpacked into .parts: {names}")
        # All parts at once: what is unpacked is one tree.
        wanted = [each for each in PARTS.values() if each.beside or not is_root]
        unpack.unpack(sorted({package for each in wanted for package in each.packages}))


@functools.cache
def _install_together() -> None:
    """Try all that is missing at once: apt reads its lists and runs the triggers one time, not ten."""
    missing = [part for part in PARTS.values() if not part.beside and not _works(part)]
    # If one of them can't be had, apt installs none, and each part tries alone.
    with suppress(SetupError):
        _apt_install([package for part in missing for package in part.packages])


def _apt_install(packages: Sequence[str]) -> None:
    say(f"Debian packages through apt: {' '.join(packages)}")
    _update()
    options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
    run(["apt-get", "install", *options, *packages], env={"DEBIAN_FRONTEND": "noninteractive"})


@functools.cache
def _update() -> None:
    run(["apt-get", "update", "-qq"], env={"DEBIAN_FRONTEND": "noninteractive"})


def _why(part: Part) -> str:
    if shutil.which(part.probe[0]) is None:
        return f"there is no {part.probe[0]}"
    done = subprocess.run(
        part.probe, capture_output=True, text=True, errors="replace", check=False
    )
    return done.stderr.strip()[-500:]
