"""`migrator import export-totp`: second factors for the system that will check them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.output import emit
from migrator.core.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.runner.context import Context
    from migrator.runner.importing.totp_export import Export

_FILE = click.Path(path_type=Path, dir_okay=False)
_CLOSED = {
    "no_secret": "have a factor and no secret",
    "malformed": "have something that the library does not write",
    "wrong_key": "have a secret that no key opens",
}


@click.command("export-totp")
@click.option("--out", type=_FILE, required=True, help="The file to write (mode 0600).")
@click.option(
    "--recipient", type=_FILE, required=True, help="Public key for X25519, in PEM (openssl)."
)
@dry_run_option
@json_option
@pass_context
def export_totp(
    ctx: Context, out: Path, recipient: Path, dry_run: bool, as_json: bool
) -> ExitCode:
    """Export the TOTP secrets of users with a second factor, each sealed to a public key.

    Exit code 3: not everybody's secret could be exported.
    """
    from migrator.runner.importing import totp_export

    key = totp_export.read_recipient(recipient)
    done = totp_export.count(ctx, key) if dry_run else totp_export.export(ctx, key, out)
    data = {**done.as_data(), "file": "" if dry_run else str(out)}
    emit(as_json, data, lambda console: _show(console, done, out, planned=dry_run))
    return ExitCode.DONE if done.is_whole else ExitCode.HELD


def _show(console: Console, done: Export, out: Path, *, planned: bool) -> None:
    said = "would be exported" if planned else f"exported to {out}"
    console.print(f"{done.read:,} users read; {done.exported:,} secrets {said}", markup=False)
    console.print(f"{done.without_factor:,} users have no second factor")
    console.print(f"sealed to the key with SHA-256 {done.recipient[:16]}…")
    if done.not_imported:
        console.print(f"{done.not_imported:,} users with a second factor are not at Auther")
    for fault, number in done.closed.items():
        console.print(f"{number:,} users {_CLOSED[fault]}")
