"""`migrator init`: a commented configuration and the keys it names."""

from __future__ import annotations

import base64
import re
import secrets
from importlib.resources import files
from typing import TYPE_CHECKING

import click

from migrator.cli.output import emit
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.cli.common import Invocation

KEY_BYTES = 32
KEYS = ("migration.key", "stage.key")


@click.command()
@click.option(
    "--name",
    default="app",
    show_default=True,
    metavar="NAME",
    help="The migration's name; goes into ids and documents and cannot change.",
)
@click.option(
    "--verified-when",
    type=click.Choice(["confirmed", "always", "never"]),
    required=True,
    help="Who counts as verified at Auther; see the comment in the file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.pass_obj
def init(invocation: Invocation, name: str, verified_when: str, as_json: bool) -> None:
    """Write a commented migrator.toml and the keys it names.

    Nothing that exists is changed: a key that is there stays.
    """
    from migrator.config.name import NAME_PATTERN

    path = invocation.config_path
    if path.exists():
        raise UsageError(
            f"{path} exists already", hint="edit it, or: migrator --config OTHER.toml init"
        )
    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(f"{name!r} cannot name a migration", hint="use a-z, 0-9, - and _")
    text = render(name, verified_when=verified_when)
    made = [str(key) for key in _make_keys(path.resolve().parent / ".migrator")]
    path.write_text(text, encoding="utf-8")
    emit(
        as_json,
        {"config": str(path), "keys": made},
        lambda out: out.print(
            f"Wrote {path} and {len(made)} keys in .migrator/ (keep a backup of them).\n"
            "Next: set LEGACY_DATABASE_URL, read through the file, then: migrator preflight"
        ),
    )


def render(name: str, *, verified_when: str) -> str:
    """Give the text of a new configuration."""
    template = (files("migrator.config") / "template.toml").read_text(encoding="utf-8")
    return template.replace("{{ name }}", name).replace("{{ verified_when }}", verified_when)


def _make_keys(folder: Path) -> list[Path]:
    folder.mkdir(mode=0o700, exist_ok=True)
    made = [folder / name for name in KEYS if not (folder / name).exists()]
    for key in made:
        # Created closed, then filled: there is no moment at which others could read it.
        key.touch(mode=0o600)
        text = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode().rstrip("=")
        key.write_text(text + "\n", encoding="utf-8")
    return made
