"""Writes plain data as YAML: keys bare, texts in JSON's quotes, which YAML reads too."""

from __future__ import annotations

import json
from typing import Any


def to_yaml(data: Any, *, indent: int = 0) -> str:
    """Write lists and objects in blocks, everything else as JSON."""
    return "\n".join(_lines(data, "  " * indent)) + "\n"


def _lines(data: Any, pad: str) -> list[str]:
    if isinstance(data, dict) and data:
        return [line for key, value in data.items() for line in _entry(f"{pad}{key}:", value, pad)]
    if isinstance(data, list) and data:
        return [line for value in data for line in _item(value, pad)]
    return [pad + json.dumps(data, ensure_ascii=False)]


def _entry(head: str, value: Any, pad: str) -> list[str]:
    if isinstance(value, dict | list) and value:
        return [head, *_lines(value, pad + "  ")]
    return [f"{head} {json.dumps(value, ensure_ascii=False)}"]


def _item(value: Any, pad: str) -> list[str]:
    first, *rest = _lines(value, pad + "  ")
    return [f"{pad}- {first.strip()}", *rest]
