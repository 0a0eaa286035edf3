"""What every step of the set-up shares: saying what it does, running a command, remembering that it is done."""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class SetupError(Exception):
    """A step that the tests can't do without has failed."""


class PartMissingError(Exception):
    """A part can't be had on this machine; its tests are skipped, or fail under CI=true."""


def say(text: str) -> None:
    """Tell the person in front of the terminal what happens."""
    print(f"setup: {text}", flush=True)


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Run a command quietly and return what it printed.

    Raises:
        SetupError: it is not there or ended with an error; the message holds start and end of its output.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
            cwd=folder,
            check=False,
        )
    except FileNotFoundError as error:
        raise SetupError(f"{words[0]} is not installed") from error
    if done.returncode != 0:
        raise SetupError(f"`{' '.join(words)}` failed:\n{_shortened(done.stdout.strip())}")
    return done.stdout


def _shortened(output: str) -> str:
    lines = output.splitlines()
    return "\n".join([*lines[:12], "[…]", *lines[-12:]] if len(lines) > 25 else lines)


def digest(*, files: list[Path], values: list[str]) -> str:
    """A fingerprint of what a step depends on: contents of files and further values."""
    state = hashlib.sha256()
    for part in [*(path.read_bytes() for path in files), *(value.encode() for value in values)]:
        state.update(len(part).to_bytes(8, "big") + part)
    return state.hexdigest()


@contextmanager
def once(stamp: Path, *, fingerprint: str) -> Iterator[bool]:
    """Yield whether there is work to do; after work without an error, remember the fingerprint.

    The stamp goes away before the work begins, so that a set-up that was interrupted starts this step anew.
    """
    if stamp.exists() and stamp.read_text() == fingerprint:
        yield False
        return
    stamp.unlink(missing_ok=True)
    yield True
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint)
