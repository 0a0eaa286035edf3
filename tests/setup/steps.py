"""What every step of the set-up shares: saying what it does, running a command, remembering that it is done."""

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Long enough for a slow line; a registry that does not answer must not hold people for ever.
COMMAND_TIMEOUT_S = 900


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
    timeout_s: float = COMMAND_TIMEOUT_S,
) -> str:
    """Run a command quietly and return what it printed.

    Raises:
        SetupError: it is not there, took too long or ended with an error; the message holds start and end
            of its output.
    """
    words = [str(word) for word in command]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
            cwd=folder,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise SetupError(f"{words[0]} is not installed") from error
    output = _wait(process, timeout_s=timeout_s)
    if process.returncode != 0:
        raise SetupError(f"`{' '.join(words)}` failed:\n{_shortened(output.strip())}")
    return output


def _wait(process: "subprocess.Popen[str]", *, timeout_s: float) -> str:
    """Wait, and leave nothing running behind: not after the timeout and not after Ctrl-C."""
    with process:
        try:
            return process.communicate(timeout=timeout_s)[0]
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGTERM)
            raise SetupError(f"{process.args!r} took over {timeout_s:.0f} s") from error
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise


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
