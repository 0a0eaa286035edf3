"""The libraries whose TOTP secrets can be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.legacy.second_factor.devise_two_factor import DeviseTwoFactor
from migrator.legacy.second_factor.fortify import Fortify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrator.legacy.second_factor.interface import Vault

VAULTS: dict[str, Callable[[Sequence[str]], Vault]] = {
    "devise-two-factor": DeviseTwoFactor,
    "fortify": Fortify,
}
