"""How a bare digest was made: template, algorithm, rounds, output, and how it was stored."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING

from migrator.schemes.template import ALGORITHMS, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_STRETCHES = 100_000
MAX_SALT = 255
SEPARATORS = "$:|#,;*!@"
_SALT_IN_VALUE = r"[A-Za-z0-9./+=_-]{1,255}"
_BYTES = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}
_DIGITS = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class Recipe:
    """How digests of one kind come about.

    `{digest}` starts as `first`; then `stretches` times it becomes the hash of `template`.

    Attributes:
        algorithm: `md5`, `sha1`, `sha256` or `sha512`.
        template: What is hashed in each round.
        first: What `{digest}` stands for in the first round.
        stretches: Rounds, 1 to 100,000.
        output: How the digest is written: `hex` (either case) or `base64`.
        between: How `{digest}` enters the next round: `hex` or `raw` bytes.
        key: Key of an HMAC; empty for a plain hash.
        stored: The form of the stored value, `{hash}` alone or with `{salt}` and separators.
    """

    algorithm: str
    template: str
    first: str = ""
    stretches: int = 1
    output: str = "hex"
    between: str = "hex"
    key: str = ""
    stored: str = "{hash}"

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}")
        if self.output not in {"hex", "base64"} or self.between not in {"hex", "raw"}:
            raise ValueError('output must be "hex" or "base64", between "hex" or "raw"')
        if not 1 <= self.stretches <= MAX_STRETCHES:
            raise ValueError(f"stretches must be from 1 to {MAX_STRETCHES}")
        if not self.uses("password"):
            raise ValueError("a template without {password} accepts any password")
        _pattern(self)

    def uses(self, field: str) -> bool:
        """Tell that a field takes part."""
        return any(parse(text).uses(field) for text in (self.template, self.first, self.key))

    @property
    def salt_in_value(self) -> bool:
        """Whether the salt stands in the stored value itself."""
        return "{salt}" in self.stored

    def split(self, value: str) -> tuple[str, str | None] | None:
        """Give digest and salt of a stored value; None when it has another form."""
        match = _pattern(self).fullmatch(value)
        if match is None:
            return None
        return match["hash"], match["salt"] if self.salt_in_value else None

    def matches(self, digest: str, password: bytes, *, salt: str, pepper: bytes) -> bool:
        """Compare in constant time."""
        found = self.digest(password, salt=salt, pepper=pepper)
        written = digest.lower() if self.output == "hex" else digest
        return hmac.compare_digest(_written(found, self.output), written.encode())

    def digest(self, password: bytes, *, salt: str, pepper: bytes) -> bytes:
        """Give the raw bytes of the last round."""
        values = {"salt": salt.encode(), "password": password, "pepper": pepper, "digest": b""}
        template, key = parse(self.template), parse(self.key)
        values["digest"] = parse(self.first).render(values)
        raw = b""
        for _ in range(self.stretches):
            text = template.render(values)
            raw = (
                hmac.digest(key.render(values), text, self.algorithm)
                if self.key
                else hashlib.new(self.algorithm, text).digest()
            )
            values["digest"] = raw if self.between == "raw" else raw.hex().encode()
        return raw


def read(params: Mapping[str, str]) -> Recipe:
    """Read an envelope's parameters.

    Raises:
        ValueError: A parameter is unknown or out of its range.
    """
    known = {field.name for field in fields(Recipe)}
    if not {"algorithm", "template"} <= params.keys() <= known:
        raise ValueError("a recipe with missing or unknown parameters")
    stretches = params.get("stretches", "1")
    if not _DIGITS.fullmatch(stretches):
        raise ValueError("stretches must be a number")
    texts = {name: text for name, text in params.items() if name != "stretches"}
    return Recipe(**texts, stretches=int(stretches))


def _written(raw: bytes, output: str) -> bytes:
    return raw.hex().encode() if output == "hex" else b64encode(raw)


@lru_cache(maxsize=64)
def _pattern(recipe: Recipe) -> re.Pattern[str]:
    """Give the expression for stored values; `{hash}` has an exact length.

    Raises:
        ValueError: `stored` is no form that can be told from others.
    """
    segments = segments_of(recipe.stored)
    named = {"{hash}": f"(?P<hash>{_hash(recipe)})", "{salt}": f"(?P<salt>{_SALT_IN_VALUE})"}
    pieces = [named.get(segment) or re.escape(segment) for segment in segments]
    return re.compile("".join(pieces))


def _hash(recipe: Recipe) -> str:
    size = _BYTES[recipe.algorithm]
    if recipe.output == "hex":
        return f"[0-9a-f]{{{2 * size}}}|[0-9A-F]{{{2 * size}}}"
    padding = -size % 3
    letters = (size * 8 + 5) // 6
    return f"[A-Za-z0-9+/]{{{letters}}}" + "=" * padding


def segments_of(stored: str) -> tuple[str, ...]:
    """Cut a form at its separators, which are kept.

    Raises:
        ValueError: A field is missing, repeated, or stands beside anything but a separator.
    """
    segments = tuple(part for part in re.split(rf"([{re.escape(SEPARATORS)}])", stored) if part)
    fields_in = [part for part in segments if part in {"{hash}", "{salt}"}]
    literals = [part for part in segments if part not in fields_in]
    if sorted(fields_in) not in (["{hash}"], ["{hash}", "{salt}"]):
        raise ValueError("stored must hold {hash} once, and {salt} at most once")
    if not all(
        re.fullmatch(rf"[A-Za-z0-9._{re.escape(SEPARATORS)}-]+", part) for part in literals
    ):
        raise ValueError(
            f"stored: only letters, digits and separators ({SEPARATORS}) beside fields"
        )
    return segments
