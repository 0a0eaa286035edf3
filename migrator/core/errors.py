"""Errors an operator sees: a sentence, an exit code, and a hint that names the next command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    HELD = 3
    DEPENDENCY = 4
    CONFLICT = 5


class MigratorError(Exception):
    """Base of all errors shown without a traceback.

    Args:
        message: What is wrong, in one sentence, without secrets.
        hint: What to do next; names a command where there is one.
    """

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RefusedError(MigratorError):
    """A gate or a check says no."""


class UsageError(MigratorError):
    """The command line, the configuration or a file given by the user is wrong."""

    exit_code = ExitCode.USAGE


class HeldError(MigratorError):
    """The answer is not known yet, or somebody else has to finish first."""

    exit_code = ExitCode.HELD


class DependencyError(MigratorError):
    """A database, server or disk did not do its part; the same command may be tried again."""

    exit_code = ExitCode.DEPENDENCY


class ConflictError(MigratorError):
    """The recorded state forbids this: a second runner, a changed choice, a broken ledger."""

    exit_code = ExitCode.CONFLICT
