"""`migrator import load` and `unload`: users out of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.common import dry_run_option, json_option, pass_context
from migrator.cli.output import emit
from migrator.runner.importing.user_files import FORMS

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.runner.context import Context
    from migrator.runner.importing.load_file import Load


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format", "form", type=click.Choice(list(FORMS)), required=True, help="The file's form."
)
@click.option(
    "--hashes",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Auth0's file of password hashes, for the users in FILE.",
)
@dry_run_option
@json_option
@pass_context
def load(
    ctx: Context, file: Path, form: str, hashes: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Load a file's users into a table of our own, which the import then reads.

    The file takes the place of what was loaded before: all of it, or on any fault nothing.
    """
    from migrator.runner.importing import load_file

    work = load_file.examine if dry_run else load_file.load
    done = work(ctx, load_file.Files(file, form, hashes))
    emit(as_json, done.as_data(), lambda out: _show(out, done, planned=dry_run))


def _show(out: Console, done: Load, *, planned: bool) -> None:
    said = "would be loaded" if planned else "loaded"
    keys = "integers" if done.integer_keys else "texts"
    out.print(f"{done.users:,} users {said}, {done.identities:,} sign-ins elsewhere; ids: {keys}")
    out.print(f"columns: {', '.join(done.columns)}")
    if done.hashes_left:
        out.print(f"{done.hashes_left:,} hashes belong to nobody in the file")
    if not planned:
        out.print("Next: migrator import plan")


@click.command()
@json_option
@pass_context
def unload(ctx: Context, as_json: bool) -> None:
    """Drop the table that files were loaded into, with the hashes in it.

    What is at Auther stays.
    """
    from migrator.runner.importing import load_file

    done = load_file.unload(ctx)
    said = "Dropped what was loaded." if done else "Nothing was loaded."
    emit(as_json, {"dropped": done}, lambda out: out.print(said))
