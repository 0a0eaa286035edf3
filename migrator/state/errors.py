"""The state's own way to fail."""

from __future__ import annotations

from migrator.core.errors import DependencyError


class StateUnreachableError(DependencyError):
    """What the migration remembers cannot be read or written now."""
