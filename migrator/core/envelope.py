"""The self-describing form in which a legacy hash is stored at Auther.

`migrator:v1:<scheme>:<params>:<value>`: params are `k=v` pairs joined by `&`, percent-encoded,
`peppers` first and the others by name; the value is everything after the fourth colon, byte for
byte what the legacy system stored. The plugin in `migrator/auther/plugin` reads the same form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "migrator:v1:"
MAX_PEPPERS = 4
NO_PEPPER = "none"
PEPPER_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
NO_PARAMS: Mapping[str, str] = MappingProxyType({})
_PARAM = re.compile(r"([a-z][a-z0-9_]{0,31})=((?:[A-Za-z0-9_.~,-]|%[0-9A-F]{2})*)")


@dataclass(frozen=True)
class Envelope:
    """A legacy hash with what is needed to verify it, except the peppers themselves.

    Attributes:
        scheme: A name from the registry of schemes.
        value: The legacy system's value, unchanged.
        peppers: Ids to try in this order; `none` stands for no pepper. At most 4.
        params: What else the scheme needs and the value does not say, e.g. `salt`, `stretches`.
    """

    scheme: str
    value: str
    peppers: tuple[str, ...] = field(default=(NO_PEPPER,))
    params: Mapping[str, str] = field(default_factory=lambda: NO_PARAMS)

    def encode(self) -> str:
        """Give the text for `account.password`; equal envelopes give equal texts."""
        if not self.params:
            return _head(self.scheme, self.peppers) + ":" + self.value
        pairs = "".join(f"&{name}={_quoted(self.params[name])}" for name in sorted(self.params))
        return _head(self.scheme, self.peppers) + pairs + ":" + self.value


def _quoted(text: str) -> str:
    return quote(text, safe=",")


# The same few heads stand before every value of an import.
@lru_cache(maxsize=64)
def _head(scheme: str, peppers: tuple[str, ...]) -> str:
    return f"{PREFIX}{scheme}:peppers={_quoted(','.join(peppers))}"


def decode(text: str) -> Envelope:
    """Read an envelope.

    Raises:
        ValueError: The text is not an envelope of this version.
    """
    if not text.startswith(PREFIX):
        raise ValueError("not an envelope")
    scheme, colon, rest = text.removeprefix(PREFIX).partition(":")
    params, second, value = rest.partition(":")
    if not (scheme and colon and second):
        raise ValueError("a cut-off envelope")
    found = _params(params)
    peppers = tuple(found.pop("peppers", "").split(","))
    if len(peppers) > MAX_PEPPERS or not all(PEPPER_ID.fullmatch(name) for name in peppers):
        raise ValueError("an envelope with a malformed list of peppers")
    return Envelope(scheme, value, peppers, found)


def _params(text: str) -> dict[str, str]:
    pairs = [_PARAM.fullmatch(pair) for pair in text.split("&")]
    # A value that is no UTF-8 raises UnicodeDecodeError, which is a ValueError too.
    found = {pair[1]: unquote(pair[2], errors="strict") for pair in pairs if pair}
    if len(found) < len(pairs):
        raise ValueError("an envelope with a malformed or repeated parameter")
    return found
