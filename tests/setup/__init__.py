"""Puts in place what the demo and the tests need; plain Python, since it runs before anything is installed."""

import sys

# pyproject.toml can't say it here: this runs with whatever Python the user has.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        f"Python 3.11 or later is needed, this is {sys.version.split()[0]}.\n"
        "Next: name another one, for example `make setup PYTHON=python3.12`"
    )
