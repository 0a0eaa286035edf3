"""The template language in which operators say how their application mixed password and salt.

Plain text with four fields, `{salt}` `{password}` `{pepper}` `{digest}` (the round before), and
nested digests in lower-case hexadecimal, `{md5 …}` `{sha1 …}` `{sha256 …}` `{sha512 …}`, around
more of the same: `{md5 {password}}{salt}` is `md5(password)` followed by the salt. Nothing else:
no escapes, no expressions; a literal brace cannot be written.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
FIELDS = ("salt", "password", "pepper", "digest")
MAX_TEMPLATE = 200
MAX_DEPTH = 4
_TOKEN = re.compile(r"\{(salt|password|pepper|digest)\}|\{(md5|sha1|sha256|sha512) |(\})|([^{}]+)")


@dataclass(frozen=True)
class Template:
    """A template, read.

    Attributes:
        parts: Literal bytes, names of fields, and nested digests with their algorithm.
    """

    parts: tuple[bytes | str | tuple[str, Template], ...]

    def render(self, fields: Mapping[str, bytes]) -> bytes:
        """Fill the fields in."""
        return b"".join([_bytes(part, fields) for part in self.parts])

    def uses(self, field: str) -> bool:
        """Tell that a field takes part."""
        return any(
            part == field or (isinstance(part, tuple) and part[1].uses(field))
            for part in self.parts
        )


def _bytes(part: bytes | str | tuple[str, Template], fields: Mapping[str, bytes]) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, str):
        return fields[part]
    algorithm, inner = part
    return hashlib.new(algorithm, inner.render(fields)).hexdigest().encode()


@lru_cache(maxsize=64)
def parse(text: str) -> Template:
    """Read a template.

    Raises:
        ValueError: It is too long, too deep, or holds anything but text, fields, nested digests.
    """
    if len(text) > MAX_TEMPLATE:
        raise ValueError(f"a template of more than {MAX_TEMPLATE} characters")
    template, rest = _parse(text, 0)
    if rest < len(text):
        raise ValueError("a template with a brace that closes nothing")
    return template


def _parse(text: str, at: int, *, depth: int = 0) -> tuple[Template, int]:
    """Read up to the brace that closes this level; gives where it stands."""
    if depth > MAX_DEPTH:
        raise ValueError(f"a template nested more than {MAX_DEPTH} deep")
    parts: list[bytes | str | tuple[str, Template]] = []
    while at < len(text) and text[at] != "}":
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(
                f"a template knows {{{'} {'.join(FIELDS)}}} and {{{' …} {'.join(ALGORITHMS)} …}}"
            )
        at = token.end()
        if token[2]:
            inner, at = _parse(text, at, depth=depth + 1)
            if at == len(text):
                raise ValueError("a template with a brace that nothing closes")
            parts.append((token[2], inner))
            at += 1
        else:
            parts.append(token[1] or token[4].encode())
    return Template(tuple(parts)), at
