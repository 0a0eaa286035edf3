"""Text that every database on the way can hold."""

from __future__ import annotations


def storable(text: str) -> bool:
    """Tell that a text is Unicode without NUL, so that PostgreSQL, SQLite and JavaScript keep it.

    Bytes that were no UTF-8 arrive as lone surrogates and are refused here.
    """
    if text.isascii():
        return "\0" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
