"""`migrator dual-path`: generated shims, how they come in, are verified, and go again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from migrator.cli.common import Invocation, dry_run_option, json_option
from migrator.cli.groups import Group
from migrator.cli.output import emit, print_json
from migrator.cli.stage import stage
from migrator.cli.verify import verify
from migrator.config import DEFAULT_FILE
from migrator.shims.targets import TARGETS

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.runner.switching.generating import Generation


@click.group("dual-path", cls=Group)
def dual_path() -> None:
    """Generate shims that accept both sides, and move the login between them."""


dual_path.add_command(verify)
dual_path.add_command(stage)


@dual_path.command()
@click.option("--target", type=click.Choice(sorted(TARGETS)), required=True, help="The stack.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the files: the application's root.",
)
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@click.option(
    "--no-legacy",
    is_flag=True,
    help="The plain integration with Auther, for what never had or no longer has a legacy side.",
)
@dry_run_option
@json_option
@click.pass_obj
def generate(  # noqa: PLR0913 (click hands over each option by itself)
    invocation: Invocation,
    /,
    *,
    target: str,
    out: Path,
    force: bool,
    no_legacy: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the shim's code, for the application's team to own.

    Without a migrator.toml every setting is CHANGE_ME, and the code refuses to start.
    """
    from phases import p2_dual_path

    unconfigured = invocation.config_path == DEFAULT_FILE and not DEFAULT_FILE.exists()
    ctx = None if unconfigured else invocation.context()
    made = p2_dual_path.plan_files(ctx, target, out, legacy=not no_legacy)
    if not dry_run:
        p2_dual_path.generate(ctx, made, force=force)
    data = {
        "target": target,
        "out": out,
        "written": not dry_run,
        "configured": ctx is not None,
        "content_hash": made.content_hash,
        "files": made.states,
    }
    emit(as_json, data, lambda console: _show_files(console, made, data))


@dual_path.command("take-out")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="The folder that the shim was generated into.",
)
@json_option
def take_out(out: Path, as_json: bool) -> None:
    """Print the diff that takes the shim out again; pipe it into `git apply`.

    What is left to be changed by hand stands on standard error.
    """
    from phases import p2_dual_path

    found = p2_dual_path.plan_taking_out(out)
    if as_json:
        print_json(found)
        return
    click.echo(found.diff, nl=False)
    for path in found.edited:
        click.echo(f"edited since it was generated, and goes too: {path}", err=True)
    for use in found.uses:
        click.echo(f"by hand: {use.path}:{use.line}: {use.text}", err=True)


def _show_files(console: Console, made: Generation, data: dict[str, Any]) -> None:
    for path, state in made.states.items():
        _say(console, f"  {state:<15} {path}")
    if not data["written"]:
        _say(console, "nothing was written (--dry-run)")
        return
    _say(
        console, f"Wrote {len(made.states)} files to {made.out} (sha256 {made.content_hash[:12]})"
    )
    if not data["configured"]:
        _say(console, "No migrator.toml: settings are CHANGE_ME and the code refuses to start.")
    guide = next(path for path in made.states if path.endswith(".md"))
    _say(console, f"Next: read {guide} there, deploy, then: migrator dual-path stage show")


def _say(console: Console, line: str) -> None:
    console.print(escape(line), soft_wrap=True)
