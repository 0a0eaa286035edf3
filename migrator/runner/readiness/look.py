"""Looks at both sides and puts together what it finds. Writes to neither."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.auther.live.probe import probe
from migrator.auther.ways import inspect
from migrator.auther.ways.calling import Patience
from migrator.auther.ways.sql_target import SqlTarget
from migrator.core.errors import DependencyError, RefusedError, UsageError
from migrator.legacy.canaries import CanaryResult, try_canary
from migrator.legacy.census import take_census
from migrator.legacy.connect import open_database, wrapped
from migrator.legacy.sources import open_source
from migrator.legacy.survey import survey
from migrator.runner.importing.ends import way_to_auther
from migrator.runner.importing.imports import make_rules
from migrator.runner.readiness.findings import AutherFindings, Findings
from migrator.runner.readiness.forecast import Forecaster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from migrator.application.interface import ApplicationFindings
    from migrator.auther.interface import Target, Way
    from migrator.legacy.connection import Connection
    from migrator.legacy.devise import DeviseSource
    from migrator.legacy.findings import Census, LegacySurvey
    from migrator.legacy.interface import Page
    from migrator.runner.canaries import Canary
    from migrator.runner.context import Context
    from migrator.runner.readiness.findings import Forecast


BEHIND_THE_PLUGIN = "behind the plugin"
# Whoever looks does not want to wait for two minutes.
HURRIED = Patience(total_s=5)


def look(ctx: Context, canaries: Sequence[Canary], *, app: Path | None = None) -> Findings:
    """Look at the legacy database, every user in it, Auther, and the application's code.

    Args:
        ctx: The surroundings.
        canaries: Accounts with known passwords.
        app: The application's folder, None to leave its code alone.

    Raises:
        UsageError: A table, column or secret that the configuration names is not there, or no
            application of a known framework is in the folder.
        RefusedError: Our role may not read the users table.
        DependencyError: A database failed or took too long.
    """
    dsn, users_table = ctx.reveal(ctx.config.legacy.dsn), ctx.config.legacy.users_table
    application = _read(app, users_table) if app else None
    with (
        open_source(dsn, ctx.config.legacy) as source,
        open_database(dsn) as connection,
        wrapped("surveying the application's database"),
    ):
        legacy = survey(
            connection,
            ctx.config.legacy,
            source=source,
            unlock_in=ctx.config.import_.unlock_in,
            now=ctx.clock.now(),
        )
        tried = _try_canaries(ctx, connection, source, canaries)
        with _auther(ctx) as (auther, target):
            census, forecast = _read_users(ctx, source, target, total=legacy.states.users)
    return Findings(
        legacy=legacy,
        has_primary_key=_has_one_key(source),
        remembered_until=_remembered_until(legacy, ctx.config.legacy.remember_for),
        census=census,
        forecast=forecast,
        canaries=tried,
        auther=auther,
        application=application,
    )


def _read(app: Path, users_table: str) -> ApplicationFindings:
    # Grammars of five languages, which only who gives an application waits for.
    from migrator.application.readers import read_application  # noqa: PLC0415

    return read_application(app, users_table=users_table)


def _has_one_key(source: DeviseSource) -> bool:
    """Tell that rows have a key of one column; of a SELECT's id that was made sure of."""
    table = source.columns.table
    return bool(table.query) or len(table.primary_key) == 1


def _remembered_until(found: LegacySurvey, remember_for: timedelta | None) -> datetime | None:
    last = found.states.last_remembered
    return None if last is None or remember_for is None else last + remember_for


def _try_canaries(
    ctx: Context, connection: Connection, source: DeviseSource, canaries: Sequence[Canary]
) -> tuple[CanaryResult, ...]:
    legacy = ctx.config.legacy
    secrets = {pepper.id: ctx.reveal(pepper.value).encode() for pepper in legacy.peppers}
    peppers = {name: secrets.get(name, b"") for name in legacy.pepper_ids}
    return tuple(
        try_canary(
            connection,
            source,
            email=canary.email,
            password=canary.password,
            peppers=peppers,
            declared=legacy.declared,
        )
        for canary in canaries
    )


def _read_users(
    ctx: Context, source: DeviseSource, target: Target | None, *, total: int
) -> tuple[Census, Forecast | None]:
    """Read every user once, for the census and, where there are rules, for the forecast."""
    rules = make_rules(ctx, source) if _verified_when_holds(ctx, source) else None
    loses = rules.email_loses if rules else source.email_judge().loses
    forecaster = Forecaster(rules, target) if rules else None
    with ctx.progress.task("reading users", total=total) as task:

        def observe(page: Page) -> None:
            if forecaster is not None:
                forecaster.observe(page)
            task.advance(len(page.users))

        census = take_census(
            source,
            loses,
            page_rows=ctx.config.import_.page_rows,
            clock=ctx.clock,
            observe=observe,
            declared=ctx.config.legacy.declared,
        )
    return census, forecaster.forecast() if forecaster else None


def _verified_when_holds(ctx: Context, source: DeviseSource) -> bool:
    """Tell that `confirmed` can be told from a column; the import refuses to begin otherwise."""
    needs_column = ctx.config.import_.verified_when == "confirmed"
    return not needs_column or source.columns.column("confirmed_at") is not None


@contextmanager
def _auther(ctx: Context) -> Iterator[tuple[AutherFindings, Target | None]]:
    """Look at Auther; give a way in for the forecast when its tables are known and readable."""
    auther = ctx.config.auther
    asked = (
        probe(auther.base_url, api=auther.api, issuers=auther.issuers) if auther.base_url else None
    )
    on_file = auther.kind == "sqlite"
    file = inspect.look_at_file(ctx.path(auther.database)) if on_file else None
    way = way_to_auther(ctx, patience=HURRIED)
    found = AutherFindings(file, "", "", None, asked, way.name)
    if file and not file.exists:
        found = replace(found, schema="absent")
    if file and (not file.exists or file.fault or file.locked):
        yield found, None
        return
    with ExitStack() as opened:
        yield _look_inside(found, way, opened)


def _look_inside(
    found: AutherFindings, way: Way, opened: ExitStack
) -> tuple[AutherFindings, Target | None]:
    try:
        if way.is_absent():
            return replace(found, schema="absent"), None
        target = opened.enter_context(way.opened(writing=False))
        contents = inspect.look_inside(target)
    except RefusedError as error:
        return replace(found, refusal=error.message), None
    except UsageError:
        return replace(found, schema="absent"), None
    except DependencyError as error:
        return replace(found, fault=error.message), None
    version = target.layout.version if isinstance(target, SqlTarget) else BEHIND_THE_PLUGIN
    return replace(found, schema=version, contents=contents), target
