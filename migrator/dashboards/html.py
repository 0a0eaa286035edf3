"""How pages are made: every value is escaped, and one that is missing is an error."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment() -> Environment:
    """Give the environment that all pages share."""
    return Environment(
        loader=PackageLoader("migrator.dashboards"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
