"""mutmut, which makes and runs mutants: for `make mutants` only."""

from pathlib import Path

from tests.setup.paths import VENV
from tests.setup.steps import PartMissingError, SetupError, digest, once, run, say
from tests.setup.venv import PIP

MUTMUT_LOCK = Path(__file__).parent / "mutmut.txt"


def ensure_mutmut() -> None:
    """Install mutmut into .venv, beside packages of the very versions that constraints.txt names.

    Raises:
        PartMissingError: it can't be had.
    """
    fingerprint = digest(files=[MUTMUT_LOCK], values=[])
    try:
        with once(VENV / "mutmut-stamp", fingerprint=fingerprint) as needed:
            if needed:
                say("mutmut into .venv")
                run([*PIP, "--require-hashes", "--only-binary=:all:", "-r", MUTMUT_LOCK])
    except SetupError as error:
        raise PartMissingError(str(error)) from error
