"""The command `migrator`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator import __version__
from migrator.cli.lazy import LazyGroup
from migrator.config import DEFAULT_FILE
from migrator.core.errors import DependencyError, ExitCode, MigratorError
from migrator.core.redact import scrub

if TYPE_CHECKING:
    from structlog.types import EventDict

COMMANDS = {
    "init": "migrator.cli.init:init",
    "status": "migrator.cli.status:status",
    "preflight": "migrator.cli.preflight:preflight",
    "auther": "migrator.cli.auther:auther",
    "import": "migrator.cli.import_:import_",
    "dual-path": "migrator.cli.dual_path:dual_path",
    "drain": "migrator.cli.drain:drain",
    "gate": "migrator.cli.gate:gate",
    "dashboard": "migrator.cli.dashboard:dashboard",
    "approve": "migrator.cli.approve:approve",
    "remove": "migrator.cli.remove:remove",
    "user": "migrator.cli.user:user",
    "notify": "migrator.cli.notify:notify",
    "ledger": "migrator.cli.ledger:ledger",
}


@click.group(
    cls=LazyGroup,
    modules=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    help="The configuration file.",
)
@click.option("-v", "--verbose", count=True, help="Say more on stderr; -vv says all.")
@click.version_option(__version__)
@click.pass_context
def cli(context: click.Context, config_path: Path, verbose: int) -> None:
    r"""Move an application's own authentication to Auther, phase by phase.

    \b
    preflight    what is there, on both sides
    auther       what a running Auther can do; its client, its capacity
    import       users with their passwords into Auther, proven
    dual-path    shims that accept both, and the switch between them
    drain, gate  who is still on the legacy path, and whether the next step is safe
    dashboard    all of it as a web page, or as a file for a change request
    user         where one person signs in, and why that fails
    approve      two people let happen what one alone must not do
    remove       the legacy auth tables and columns, and their way back

    `migrator status` says where the migration stands and what to run next.
    Exit codes: 0 done, 1 refused, 2 usage, 3 held, 4 a dependency failed, 5 state conflict.
    """
    # Not for `--version` and `--help`, which are answered at once.
    from migrator.cli.common import Invocation  # noqa: PLC0415

    _log_to_stderr(verbose)
    context.obj = Invocation(config_path)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    arguments = sys.argv[1:]
    try:
        code = cli.main(arguments, standalone_mode=False)
    except MigratorError as error:
        code = _say(error, arguments)
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except BrokenPipeError:
        code = ExitCode.DONE
    except OSError as error:
        code = _say(_as_dependency(error), arguments)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted; run the same command again to go on\n")
        code = 130
    sys.exit(int(code or 0))


def _say(error: MigratorError, arguments: list[str]) -> ExitCode:
    from migrator.cli.output import print_error  # noqa: PLC0415

    print_error(error, as_json="--json" in arguments)
    return error.exit_code


def _as_dependency(error: OSError) -> DependencyError:
    """Say which file failed and how: a full disk, a folder that may not be written."""
    where = f"{error.filename}: " if error.filename else ""
    return DependencyError(
        f"{where}{error.strerror or type(error).__name__}",
        hint="mend that, then run the same command again",
    )


def _log_to_stderr(verbose: int) -> None:
    import structlog  # noqa: PLC0415

    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _scrubbed,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Asked for each line: whoever calls a command in its own process may have put another one there.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _scrubbed(_logger: object, _name: str, event: EventDict) -> EventDict:
    return {key: scrub(value) if isinstance(value, str) else value for key, value in event.items()}
