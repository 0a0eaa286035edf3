"""What a scheme of password hashes can do."""

from __future__ import annotations

from typing import Protocol


class Scheme(Protocol):
    """One way to hash passwords; knows its own values and nothing else."""

    @property
    def name(self) -> str:
        """The name in envelopes."""
        ...

    def claim(self, value: str) -> bool:
        """Tell that a stored value is whole and of this scheme; no other scheme claims it then."""
        ...

    def verify(self, value: str, password: bytes, *, pepper: bytes) -> bool:
        """Check a password against a claimed value; never raises.

        Args:
            value: As the legacy system stored it.
            password: Raw bytes as typed, not normalised.
            pepper: Empty for none.
        """
        ...
