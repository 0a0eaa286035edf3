"""Encryption with age (age-encryption.org): what is written here opens with `age -d`, without this program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyrage import DecryptError, IdentityError, RecipientError, decrypt, encrypt, x25519

from migrator.core.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

AGE, NONE = "age", "none"
ENDINGS = {AGE: ".age", NONE: ""}
HOW_TO = "migrator remove keygen --out archive.key (or age-keygen -o archive.key), then [remove.archive] recipients"


class Sealing(Protocol):
    """Turns bytes into what lies on the disk."""

    name: str
    recipients: tuple[str, ...]

    def seal(self, plain: bytes) -> bytes:
        """Encrypt."""


class Opening(Protocol):
    """Turns what lies on the disk back."""

    def open(self, sealed: bytes, *, what: str) -> bytes:
        """Decrypt.

        Raises:
            RefusedError: It does not open; `what` is named.
        """


class Age:
    """Encrypts to public keys; whoever has one of the private ones can read it.

    Args:
        recipients: `age1…`, one at least.

    Raises:
        UsageError: There is none, or one is not a public key.
    """

    name = AGE

    def __init__(self, recipients: Sequence[str]) -> None:
        if not recipients:
            raise UsageError("the archive has no public key to be encrypted to", hint=HOW_TO)
        try:
            self._keys = [x25519.Recipient.from_str(text) for text in recipients]
        except RecipientError:
            raise UsageError(
                "[remove.archive] recipients: one is not a public key of age (age1…)", hint=HOW_TO
            ) from None
        self.recipients = tuple(recipients)

    def seal(self, plain: bytes) -> bytes:
        """Encrypt."""
        return encrypt(plain, self._keys)


class Identity:
    """A private key.

    Args:
        text: As `age-keygen` writes it: lines that begin with `#` are left out.

    Raises:
        UsageError: There is no private key of age in it; the text is not repeated.
    """

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines()]
        keys = [line for line in lines if line and not line.startswith("#")]
        try:
            self._keys = [x25519.Identity.from_str(key) for key in keys]
        except IdentityError:
            self._keys = []
        if not self._keys:
            raise UsageError(
                "the identity holds no private key of age (AGE-SECRET-KEY-1…)", hint=HOW_TO
            )

    def open(self, sealed: bytes, *, what: str) -> bytes:
        """Decrypt.

        Raises:
            RefusedError: It was encrypted to other keys, or was changed.
        """
        try:
            return decrypt(sealed, self._keys)
        except DecryptError as error:
            raise RefusedError(
                f"{what} does not open with this identity: {error}",
                hint="name the identity that belongs to one of the manifest's recipients",
            ) from None


class Unencrypted:
    """No encryption; said explicitly in the configuration."""

    name = NONE
    recipients: tuple[str, ...] = ()

    def seal(self, plain: bytes) -> bytes:
        """Give the bytes as they are."""
        return plain

    def open(self, sealed: bytes, *, what: str) -> bytes:  # noqa: ARG002  as the interface has it
        """Give the bytes as they are."""
        return sealed


def make_identity() -> tuple[str, str]:
    """Make a new pair of keys: the private one, the public one."""
    made = x25519.Identity.generate()
    return str(made), str(made.to_public())
