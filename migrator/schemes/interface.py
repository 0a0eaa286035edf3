"""What a scheme of password hashes can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from migrator.core.envelope import NO_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

# Longer ones match nothing: rounds over a password of megabytes would cost more than any bound.
MAX_PASSWORD_BYTES = 1024


class Scheme(Protocol):
    """One way to hash passwords; knows its own values and nothing else."""

    @property
    def name(self) -> str:
        """The name in envelopes."""
        ...

    @property
    def title(self) -> str:
        """One line for people: what made such values."""
        ...

    @property
    def bound(self) -> str:
        """What a stored value may cost at most; values beyond it are not claimed."""
        ...

    @property
    def peppered(self) -> bool:
        """Whether a pepper takes part; without one, trying several would only cost time."""
        ...

    def claim(self, value: str) -> bool:
        """Tell that a stored value is whole and, by its own form, of this scheme.

        Values that do not say what they are (bare digests) are claimed by `Declared` instead.
        """
        ...

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Check a password against a stored value; never raises, whatever the value is.

        Args:
            value: As the legacy system stored it.
            password: Raw bytes as typed, not normalised.
            pepper: Empty for none.
            params: The envelope's, e.g. `salt`.
        """
        ...


class Declared(Protocol):
    """Values that an operator declared, since their form does not say what they are."""

    @property
    def scheme(self) -> str:
        """The name of their scheme."""
        ...

    @property
    def peppered(self) -> bool:
        """Whether a pepper takes part."""
        ...

    def params_for(self, value: str, salt: str | None) -> Mapping[str, str] | None:
        """Give the envelope's parameters for a stored value, None when it is not one of these.

        Args:
            value: The password column.
            salt: The salt column, None without one.
        """
        ...


@dataclass(frozen=True)
class Claim:
    """What a stored value is.

    Attributes:
        scheme: The only scheme that claims it.
        params: What the envelope must say beside the value.
        peppered: Whether peppers are worth trying.
    """

    scheme: Scheme
    params: Mapping[str, str]
    peppered: bool

    def verify(self, value: str, password: bytes, *, pepper: bytes) -> bool:
        """Check a password against the value that was claimed; never raises."""
        if len(password) > MAX_PASSWORD_BYTES:
            return False
        return self.scheme.verify(value, password, pepper=pepper, params=self.params)
