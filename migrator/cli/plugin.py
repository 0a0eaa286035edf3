"""`migrator import plugin`: the better-auth plugin, and the environment that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.auther.plugin.files import files as plugin_files
from migrator.cli.common import Invocation, json_option
from migrator.cli.output import emit
from migrator.core.errors import DependencyError, ExitCode, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.runner.plugin_environment import Written


@click.command()
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder in Auther's source that gets the plugin.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file (0600) that gets what Auther needs in its environment: mark, peppers, secrets.",
)
@click.option(
    "--rotate",
    is_flag=True,
    help="With --env-file: make new secrets; the ones before stay live until the next rotation.",
)
@json_option
@click.pass_obj
def plugin(
    invocation: Invocation, folder: Path, env_file: Path | None, rotate: bool, as_json: bool
) -> ExitCode:
    """Write the better-auth plugin that lets imported passwords sign in.

    What is in the environment file stays; only what is missing is added. Exit code 1: a variable
    there has another value than the migrator works with.
    """
    from migrator.runner.plugin_environment import write_environment

    if rotate and env_file is None:
        raise UsageError("--rotate needs --env-file", hint="name Auther's environment file")
    data: dict[str, Any] = {"written": _write_plugin(folder)}
    if env_file is None:
        emit(as_json, data, lambda out: _show(out, data))
        return ExitCode.DONE
    written = write_environment(invocation.context(), env_file, rotate=rotate)
    data["env_file"] = {"path": str(env_file), **_as_data(written)}
    emit(as_json, data, lambda out: _show(out, data))
    return ExitCode.REFUSED if written.variables.kept else ExitCode.DONE


def _write_plugin(folder: Path) -> list[str]:
    written = []
    try:
        for name, text in plugin_files().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(str(path))
    except OSError as error:
        raise DependencyError(
            f"{folder} cannot be written: {error.strerror}", hint="check the folder and the disk"
        ) from error
    return written


def _as_data(written: Written) -> dict[str, Any]:
    found = written.variables
    return {
        "secrets_made": list(written.made),
        "added": list(found.added),
        "changed": list(found.changed),
        "kept_though_different": list(found.kept),
    }


def _show(out: Console, data: dict[str, Any]) -> None:
    for path in data["written"]:
        out.print(path, markup=False)
    environment = data.get("env_file")
    if environment is None:
        return
    changed = len(environment["added"]) + len(environment["changed"])
    out.print(f"{environment['path']}: {changed} variables written", markup=False)
    for reference in environment["secrets_made"]:
        out.print(f"made {reference}", markup=False)
    for name in environment["kept_though_different"]:
        out.print(f"different, and kept: {name}", markup=False)
    if changed:
        out.print("next: restart Auther with this environment", markup=False)
