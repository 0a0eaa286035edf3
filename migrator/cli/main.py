"""The command `migrator`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator import __version__
from migrator.cli.groups import LazyGroup, Listed
from migrator.config import DEFAULT_FILE
from migrator.core.errors import DependencyError, ExitCode, MigratorError
from migrator.core.redact import scrub

if TYPE_CHECKING:
    from structlog.types import EventDict

COMMANDS = {
    "init": Listed(
        "migrator.cli.init:init", "Write a commented migrator.toml and the keys it names."
    ),
    "status": Listed(
        "migrator.cli.status:status",
        "Say where the migration stands, what is held and why, and the next command.",
    ),
    "preflight": Listed(
        "migrator.cli.preflight:preflight",
        "Look at the legacy database, Auther and the application's code, and give a verdict.",
    ),
    "auther": Listed(
        "migrator.cli.auther:auther",
        "Find out what a running Auther can do, and make it ready for the application.",
    ),
    "import": Listed(
        "migrator.cli.import_:import_",
        "Bring users into Auther with their passwords, compare, prove, and take them out again.",
    ),
    "dual-path": Listed(
        "migrator.cli.dual_path:dual_path",
        "Generate shims that accept both sides, and move the login between them.",
    ),
    "drain": Listed(
        "migrator.cli.drain:drain", "See who is still on the legacy path, and when it ends."
    ),
    "gate": Listed("migrator.cli.gate:gate", "Ask whether the next step is safe."),
    "dashboard": Listed(
        "migrator.cli.dashboard:dashboard",
        "Show the whole cutover as a web page, read-only; Ctrl-C ends it.",
    ),
    "approve": Listed(
        "migrator.cli.approve:approve",
        "Approve what two people have to decide; their keys are in migrator.toml.",
    ),
    "remove": Listed(
        "migrator.cli.remove:remove",
        "Remove the legacy auth tables and columns, and bring them back.",
    ),
    "user": Listed(
        "migrator.cli.user:user",
        "Ask about one person: where they sign in, why it fails, what to do.",
    ),
    "notify": Listed(
        "migrator.cli.notify:notify",
        "Tell people elsewhere: webhooks on stage, gate and health events.",
    ),
    "ledger": Listed(
        "migrator.cli.ledger:ledger",
        "Read the append-only record and check that nobody changed it.",
    ),
}


@click.group(
    cls=LazyGroup,
    listed=COMMANDS,
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
    """Move an application's own authentication to Auther, phase by phase.

    `migrator status` says where the migration stands and what to run next.
    Exit codes: 0 done, 1 refused, 2 usage, 3 held, 4 a dependency failed, 5 state conflict.
    """
    # Not for `--version` and `--help`, which are answered at once.
    from migrator.cli.common import Invocation

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
    from migrator.cli.output import print_error

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
    import structlog

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
