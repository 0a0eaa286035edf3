"""The self-describing form in which a legacy hash is stored at Auther.

`migrator:v1:<scheme>:<params>:<value>`: params are `k=v` pairs joined by `&`, percent-encoded;
the value is everything after the fourth colon, byte for byte what the legacy system stored.
The plugin in `migrator/auther/plugin` reads the same form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl, quote

PREFIX = "migrator:v1:"
MAX_PEPPERS = 4
NO_PEPPER = "none"
PEPPER_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True)
class Envelope:
    """A legacy hash with what is needed to verify it, except the peppers themselves.

    Attributes:
        scheme: A name from the registry of schemes.
        value: The legacy system's value, unchanged.
        peppers: Ids to try in this order; `none` stands for no pepper. At most 4.
    """

    scheme: str
    value: str
    peppers: tuple[str, ...] = field(default=(NO_PEPPER,))

    def encode(self) -> str:
        """Give the text for `account.password`."""
        return _head(self.scheme, self.peppers) + self.value


# The same few heads stand before every value of an import.
@lru_cache(maxsize=64)
def _head(scheme: str, peppers: tuple[str, ...]) -> str:
    names = ",".join(quote(name, safe="") for name in peppers)
    return f"{PREFIX}{scheme}:peppers={names}:"


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
    peppers = tuple(dict(parse_qsl(params)).get("peppers", NO_PEPPER).split(","))
    if len(peppers) > MAX_PEPPERS or not all(PEPPER_ID.fullmatch(name) for name in peppers):
        raise ValueError("an envelope with a malformed list of peppers")
    return Envelope(scheme, value, peppers)
