"""`migrator drain rules` and `migrator drain grafana`: what other systems draw and tell, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.common import dry_run_option, pass_context
from migrator.core.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.runner.context import Context


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@dry_run_option
@pass_context
def rules(ctx: Context, out: Path, dry_run: bool) -> None:
    """Write Prometheus's recording and alert rules, made from the gates, with their tests.

    Load migrator-rules.yml into Prometheus; test with: promtool test rules FILE.test.yml
    """
    from phases import p3_drain

    _write(p3_drain.prometheus_rules(ctx), out, dry_run=dry_run)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@dry_run_option
@pass_context
def grafana(ctx: Context, out: Path, dry_run: bool) -> None:
    """Write a dashboard to import into Grafana, made from the gates; it asks for the data source."""
    from phases import p3_drain

    _write({out.name: p3_drain.grafana_dashboard(ctx)}, out.parent, dry_run=dry_run)


def _write(found: Mapping[str, str], folder: Path, *, dry_run: bool) -> None:
    """Write files, or name them.

    Raises:
        DependencyError: The folder cannot be written to.
    """
    for name, text in found.items():
        path = folder / name
        if dry_run:
            click.echo(f"would write {path}")
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DependencyError(
                f"{path} cannot be written ({error.strerror})", hint="check --out and its rights"
            ) from error
        click.echo(f"wrote {path}")
