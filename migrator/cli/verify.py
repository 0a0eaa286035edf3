"""`migrator dual-path verify`: one suite of cases against a deployed application."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.common import Invocation, json_option
from migrator.cli.output import emit
from migrator.cli.verify_report import listed, results_data, show_list, show_results
from migrator.conformance.runner import failed, not_run
from migrator.core.errors import ExitCode, UsageError
from migrator.runner.interruption import Interruption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.conformance.case import Case, Result


@click.command()
@click.option("--url", default="", help="One instance's own address, past any load balancer.")
@click.option(
    "--only",
    "patterns",
    multiple=True,
    metavar="GROUP/NAME",
    help="Run these cases: a group, a whole name, or a pattern; may be repeated.",
)
@click.option("--list", "only_list", is_flag=True, help="List the cases and what each proves.")
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML file in place of the section [verify].",
)
@click.option(
    "--auther",
    is_flag=True,
    help="Use the Auther that runs at [auther] base_url in place of the suite's own issuer.",
)
@click.option(
    "--during-migration",
    is_flag=True,
    help="Even though people have moved, or a later stage holds. Moves the stage for everybody!",
)
@json_option
@click.pass_obj
def verify(  # noqa: PLR0913 (one for each option)
    invocation: Invocation,
    /,
    *,
    url: str,
    patterns: tuple[str, ...],
    only_list: bool,
    profile: Path | None,
    auther: bool,
    during_migration: bool,
    as_json: bool,
) -> ExitCode:
    """Drive a deployed application with a shim from outside and say what it does wrong.

    The suite stands where the deployment expects Auther, moves the stage through all positions,
    and puts everything back. What it must know of the application is in [verify].

    Exit codes: 0 all cases passed, 1 one failed, 2 usage, 3 some could not be run, 4 the
    application does not answer, 5 a migration is in progress.
    """
    from migrator.config.load import read
    from migrator.config.verify import VerifySection
    from migrator.runner.verifying.verification import Asked, verify_deployment

    cases = chosen(patterns)
    if only_list:
        emit(as_json, listed(cases), lambda console: show_list(console, cases))
        return ExitCode.DONE
    if not url:
        raise UsageError("--url is missing", hint="migrator dual-path verify --url URL")
    ctx = invocation.context()
    if profile is not None:
        section = read(profile, VerifySection, missing="write one, see the runbook")
        ctx = replace(ctx, config=ctx.config.model_copy(update={"verify": section}))
    asked = Asked(url, cases, during_migration=during_migration, real_auther=auther)
    with Interruption() as interruption, ctx.progress.task("cases", total=len(cases)) as task:

        def after_each(_: Result) -> None:
            task.advance(1)
            # Between two cases: a statement that is cut off would look like a failed database.
            if interruption.requested:
                raise KeyboardInterrupt

        results = verify_deployment(ctx, asked, after_each=after_each)
    emit(as_json, results_data(url, results), lambda console: show_results(console, results))
    return verdict(results)


def chosen(patterns: Sequence[str]) -> tuple[Case, ...]:
    """Give the cases that any of the patterns names; without patterns all.

    Raises:
        UsageError: A pattern names none.
    """
    from migrator.conformance.registry import CASES

    lost = [one for one in patterns if not any(_names(one, case) for case in CASES)]
    if lost:
        raise UsageError(
            f"no case is called {', '.join(lost)}", hint="migrator dual-path verify --list"
        )
    return tuple(
        case for case in CASES if not patterns or any(_names(one, case) for one in patterns)
    )


def _names(pattern: str, case: Case) -> bool:
    return pattern == case.group or fnmatchcase(case.title, pattern)


def verdict(results: Sequence[Result]) -> ExitCode:
    """Give the exit code."""
    if failed(results):
        return ExitCode.REFUSED
    return ExitCode.HELD if not_run(results) else ExitCode.DONE
