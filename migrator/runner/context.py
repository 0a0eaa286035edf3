"""What every phase gets: configuration, state, time, progress."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.core.ids import MIN_KEY_BYTES
from migrator.state.errors import StateUnreachableError
from migrator.state.store import State, no_state, open_state

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.config.model import Config
    from migrator.config.secrets import SecretRef
    from migrator.core.clock import Clock
    from migrator.core.progress import Progress


@dataclass(frozen=True)
class Context:
    """The surroundings of one command.

    Attributes:
        root: The folder of migrator.toml; relative paths start there.
    """

    config: Config
    state: State
    clock: Clock
    progress: Progress
    root: Path

    def reveal(self, secret: SecretRef) -> str:
        """Read a secret.

        Raises:
            UsageError: It is missing or readable by others.
        """
        return secret.reveal(self.root)

    def path(self, relative: Path) -> Path:
        """Resolve a path from the configuration."""
        return self.root / relative

    def migration_key(self) -> bytes:
        """Read the key of the deterministic ids.

        Raises:
            UsageError: It has fewer than 32 bytes.
        """
        key = self.reveal(self.config.migration.key).encode()
        if len(key) < MIN_KEY_BYTES:
            raise UsageError(
                f"migration.key has {len(key)} bytes, at least {MIN_KEY_BYTES} are needed",
                hint="migrator init makes a good one",
            )
        return key


def make_context(config: Config, *, root: Path, clock: Clock, progress: Progress) -> Context:
    """Open the state and put a context together.

    Raises:
        DependencyError: The state cannot be opened.
    """
    state = open_state(config.state.url, root=root, clock=clock)
    return Context(config, state, clock, progress, root)


def open_within(
    config: Config, *, root: Path, clock: Clock, progress: Progress, limit_s: float
) -> Context:
    """Put a context together whose state is open, or refuses every use where it did not answer.

    Args:
        config: The whole file.
        root: Its folder.
        clock: The time.
        progress: Where progress is said.
        limit_s: How long opening and a first look may take.

    Raises:
        UsageError: `[state] url` cannot be read.
    """
    found: list[State | UsageError] = []

    def open_and_look() -> None:
        try:
            state = open_state(config.state.url, root=root, clock=clock)
            state.ledger.head()
            found.append(state)
        except UsageError as error:
            found.append(error)
        except StateUnreachableError:
            pass

    asked = threading.Thread(target=open_and_look, daemon=True)
    asked.start()
    asked.join(limit_s)
    state = found[0] if found else no_state(clock)
    if isinstance(state, UsageError):
        raise state
    return Context(config, state, clock, progress, root)
