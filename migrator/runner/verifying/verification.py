"""Drives a deployed application with the conformance suite, and leaves everything as it was."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrator.conformance import runner
from migrator.conformance.auther import FromTestIssuer
from migrator.conformance.bench import Bench
from migrator.conformance.browser import Wire
from migrator.conformance.interface import CannotRunError
from migrator.conformance.issuer import Issuer
from migrator.conformance.real_auther import RealAuther
from migrator.core.errors import ConflictError, DependencyError, UsageError
from migrator.core.redact import scrub
from migrator.core.stage import Stage
from migrator.legacy.connect import open_postgres
from migrator.runner import stages
from migrator.runner.stages import SUBJECT, Position
from migrator.runner.switching.publishing import published
from migrator.runner.verifying.people import linked, read_people
from migrator.runner.verifying.rows import CanaryRows, Row
from migrator.runner.verifying.scene import MigrationScene
from migrator.runner.verifying.site import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from migrator.conformance.auther import Auther
    from migrator.conformance.case import Case, Result
    from migrator.conformance.interface import Person
    from migrator.runner.context import Context

VERIFY, RUN = "verify", "run"
_BEFORE, _ROWS = "before", "rows"
_LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Asked:
    """What the operator asks for.

    Attributes:
        url: Of one instance of the application, past any load balancer.
        cases: Those to run.
        during_migration: Even though people have moved, or a later stage holds.
        real_auther: Canaries sign in at the Auther of `[auther] base_url`, not at the suite's own
            issuer; cases that need odd tokens are not run.
    """

    url: str
    cases: Sequence[Case]
    during_migration: bool = False
    real_auther: bool = False


def verify_deployment(
    ctx: Context, asked: Asked, *, after_each: Callable[[Result], None]
) -> tuple[Result, ...]:
    """Run cases against a deployment.

    Interrupted by Ctrl-C or an error, the stage and the canaries' rows are put back. Killed, they
    are put back by the next run.

    Raises:
        UsageError: The configuration lacks what is needed, or the people's file is wrong.
        DependencyError: The application, its database or the disk does not answer.
        ConflictError: The migration is in progress, or somebody else works on the stage.
    """
    named = read_people(ctx.path(ctx.config.verify.people))
    site = describe(ctx, real_auther=asked.real_auther)
    with (
        _auther(ctx, asked) as auther,
        open_postgres(
            ctx.reveal(ctx.config.legacy.dsn), doing="dual-path verify", read_only=False
        ) as connection,
    ):
        rows = CanaryRows(connection, ctx.config.legacy)
        people = linked(named, rows.find(person.user_pk for person in named))
        if auther.issuer is not None:
            known = {one.auther_id: one.password for one in people.values()}
            auther.issuer.plugin.passwords = known
        with _scene(ctx, rows, people, asked) as scene:
            wire = Wire(asked.url.rstrip("/"))
            bench = Bench(ctx.config.verify, site, wire, auther, scene, people, ctx.clock)
            _require_reachable(bench, asked.url)
            bench.await_keys()
            results = runner.run(bench, asked.cases, after_each=after_each)
            scene.facts = _counted(results)
    return results


@contextmanager
def _auther(ctx: Context, asked: Asked) -> Iterator[Auther]:
    """Give the Auther that canaries sign in at."""
    if not asked.real_auther:
        with _issuer(ctx) as issuer:
            yield FromTestIssuer(issuer)
        return
    config = ctx.config
    if not config.auther.base_url:
        raise UsageError("[auther] base_url is not set", hint="set it to Auther's public address")
    auther = RealAuther(
        config.auther.base_url.rstrip("/"),
        config.auther.client_id,
        config.shim.redirect_uri,
        ctx.clock,
    )
    try:
        yield auther
    finally:
        auther.leave()


@contextmanager
def _issuer(ctx: Context) -> Iterator[Issuer]:
    """Start the test issuer where the deployment expects Auther."""
    base = urlsplit(ctx.config.auther.base_url)
    if base.hostname not in _LOOPBACK or not base.port:
        raise UsageError(
            "the suite stands where Auther stands, on a loopback port, and [auther] base_url is elsewhere",
            hint='generate the deployment under test with base_url = "http://127.0.0.1:PORT"',
        )
    issuer = Issuer(client_id=ctx.config.auther.client_id, port=base.port)
    issuer.redirect_uris.append(ctx.config.shim.redirect_uri)
    try:
        issuer.start()
    except OSError as error:
        raise DependencyError(
            f"port {base.port} is taken: {error.strerror}", hint="stop what listens there"
        ) from error
    try:
        yield issuer
    finally:
        issuer.stop()


@contextmanager
def _scene(
    ctx: Context, rows: CanaryRows, people: Mapping[str, Person], asked: Asked
) -> Iterator[MigrationScene]:
    """Hold the stage; put it and the canaries' rows back afterwards, whatever happens."""
    pks = [person.user_pk for person in people.values()]
    with ctx.state.locks.held(SUBJECT) as lease:
        before = _settle_killed(ctx, rows) or stages.position(stages.current(ctx))
        _refuse_in_progress(before, rows.moved(pks), asked)
        kept = tuple(rows.find(pks).values())
        ctx.state.checkpoints.put(VERIFY, _ROWS, [row.as_kept() for row in kept])
        ctx.state.checkpoints.put(VERIFY, _BEFORE, stages.facts(before))
        intent = ctx.state.ledger.intent(
            VERIFY, RUN, url=scrub(asked.url), cases=len(asked.cases), before=stages.facts(before)
        )
        scene = MigrationScene(ctx, lease, intent, rows, kept, _newest_epoch(ctx))
        result = "interrupted"
        try:
            yield scene
            result = "done"
        finally:
            scene.restore()
            try:
                scene.publish(before)
            except ConflictError:
                # Somebody rolled the stage back meanwhile: theirs holds, not ours.
                result = "taken over"
            ctx.state.ledger.outcome(intent, result=result, epoch=scene.epoch, **scene.facts)
            _forget_kept(ctx)


def _settle_killed(ctx: Context, rows: CanaryRows) -> Position | None:
    """Put the rows back that a killed run has left; gives the position that held before it."""
    kept, before = (ctx.state.checkpoints.get(VERIFY, key) for key in (_ROWS, _BEFORE))
    rows.put_back(Row.from_kept(row) for row in kept or ())
    for entry in ctx.state.ledger.pending():
        if entry.subject == VERIFY:
            ctx.state.ledger.outcome(entry, result="killed")
    return stages.read_position(before) if before else None


def _forget_kept(ctx: Context) -> None:
    for key in (_ROWS, _BEFORE):
        ctx.state.checkpoints.drop(VERIFY, key)


def _refuse_in_progress(at: Position, moved: int, asked: Asked) -> None:
    quiet = at.stage is Stage.LEGACY or (at.stage is Stage.DUAL and at.percent == 0)
    if asked.during_migration or (quiet and not at.stop_accepting and not moved):
        return
    who = f"{moved} people have moved to Auther" if moved else f"the stage is {at}"
    raise ConflictError(
        f"the suite moves the stage through all positions, and {who}",
        hint="verify a deployment with a stage document of its own, or add --during-migration",
    )


def _newest_epoch(ctx: Context) -> int:
    known = (stages.current(ctx), published(ctx))
    return max((document.epoch for document in known if document is not None), default=0)


def _require_reachable(bench: Bench, url: str) -> None:
    try:
        bench.metrics()
    except CannotRunError as error:
        raise DependencyError(
            f"{scrub(url)}: {error}",
            hint="start the application with its shim; --url is one instance's own address",
        ) from None


def _counted(results: tuple[Result, ...]) -> dict[str, int]:
    counts = Counter(type(result.outcome).__name__.lower() for result in results)
    return {name: counts[name] for name in ("passed", "failed", "notrun")}
