"""Phase 3: see who is still on the legacy path, and let no step begin on missing data.

Nothing in the application changes here. A run measures and writes verdicts; a rollback forgets them.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import ConflictError, UsageError
from migrator.core.stage import Stage
from migrator.dashboards import rule_tests
from migrator.dashboards.grafana import render as render_grafana
from migrator.dashboards.step_answer import GateAnswer, StepAnswer
from migrator.gates.explain import explain
from migrator.gates.spec import REMOVE, GateSpec, spec_of, specs_before
from migrator.gates.verdict import GateState, Verdict, decide
from migrator.runner.gating import overriding
from migrator.runner.gating.census import take_census
from migrator.runner.gating.guard import standings
from migrator.runner.gating.keeping import keep_left
from migrator.runner.gating.looking import look
from migrator.runner.gating.overriding import refusal_of, with_override
from migrator.runner.gating.picture import (
    PICTURE_SOURCES,
    picture_of,
    recalled_picture,
)
from migrator.runner.gating.populations import POPULATION_SOURCES, populations_of
from migrator.runner.gating.sampling import (
    due,
    evidence_row,
    judge,
    record,
    record_change,
    sample,
    sources_of,
)
from migrator.runner.gating.silence import acknowledge_silence, silent_store
from migrator.runner.gating.stores import session_store
from migrator.runner.regressing.looking import look_at_health
from migrator.runner.regressing.regress import regress, regress_specs
from migrator.runner.stages import current
from migrator.runner.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrator.dashboards.drain_picture import DrainPicture, Populations
    from migrator.dashboards.health_view import HealthPicture
    from migrator.dashboards.overview import EvidenceRow
    from migrator.runner.context import Context
    from migrator.runner.gating.census import CensusReport
    from migrator.runner.gating.overriding import Override
    from migrator.runner.gating.picture import Recalled
    from migrator.runner.gating.silence import SilentStore
    from migrator.state.locks import Lease

NAME = "drain"
WATCH = "watch"


@dataclass(frozen=True)
class DrainPlan:
    """What will be measured.

    Attributes:
        step: The step that the gates guard.
    """

    step: str
    gates: tuple[GateSpec, ...]


def plan(ctx: Context, *, step: str | None = None, names: Sequence[str] = ()) -> DrainPlan:
    """Choose the gates: those named, else those before a step, else those before the next step.

    Raises:
        UsageError: There is no gate of that name.
    """
    chosen = step or next_step(ctx)
    gates = _named(ctx, names) if names else specs_before(ctx.config, chosen)
    return DrainPlan(chosen, gates)


def plan_all(ctx: Context) -> DrainPlan:
    """Choose every gate of the configuration."""
    gates = tuple(spec_of(ctx.config, gate) for gate in ctx.config.gates)
    return DrainPlan(next_step(ctx), gates)


def run(ctx: Context, planned: DrainPlan, *, only_due: bool = False) -> tuple[Verdict, ...]:
    """Take one sample for each gate and judge it; the ledger is not written.

    Interrupted, the samples taken so far stay and count.

    Args:
        ctx: The surroundings.
        planned: What `plan` gave.
        only_due: Leave out gates that were sampled less than an interval ago.

    Raises:
        UsageError: A secret that a source needs is missing.
    """
    gates = due(ctx, planned.gates) if only_due else planned.gates
    if gates:
        sample(ctx, gates, look(ctx, sources_of(gates)))
    return judged(ctx, planned)


def watch(ctx: Context, planned: DrainPlan) -> tuple[tuple[Verdict, ...], DrainPicture]:
    """Look at everything once, keep the samples that are due, write verdicts that changed.

    Where a regress says so and health is broken for sure, the stage goes back.

    Raises:
        UsageError: A secret that a source needs is missing.
        DependencyError: The stage document cannot be written.
    """
    regresses = regress_specs(ctx)
    found = look(ctx, PICTURE_SOURCES | sources_of((*planned.gates, *regresses)))
    sample(ctx, due(ctx, (*planned.gates, *regresses)), found)
    regress(ctx)
    for verdict in judged(ctx, planned):
        record_change(ctx, verdict)
    keep_left(ctx)
    seen = shown(ctx, planned)
    return seen, picture_of(ctx, found, step=planned.step, verdicts=seen)


def observe(ctx: Context, planned: DrainPlan) -> tuple[Verdict, ...]:
    """Take the samples that are due, and write verdicts that changed; an override is shown as such.

    Where a regress says so and health is broken for sure, the stage goes back.

    Raises:
        UsageError: A secret that a source needs is missing.
        DependencyError: The stage document cannot be written.
    """
    for verdict in run(ctx, planned, only_due=True):
        record_change(ctx, verdict)
    if regresses := due(ctx, regress_specs(ctx)):
        sample(ctx, regresses, look(ctx, sources_of(regresses)))
    regress(ctx)
    return shown(ctx, planned)


@contextmanager
def only_watch(ctx: Context) -> Iterator[Callable[[], None]]:
    """Be the only one who watches during a block: two at once could take a sample twice.

    Yields:
        To be called before each look: it raises when somebody else took over after a long sleep.

    Raises:
        ConflictError: Somebody else watches.
    """
    with ctx.state.locks.held(WATCH) as lease:
        yield lambda: ctx.state.locks.check(lease)


@contextmanager
def watch_or_follow(ctx: Context) -> Iterator[Callable[[], bool]]:
    """Watch during a block as soon as nobody else does; until then what the other one measures may be shown.

    Yields:
        To be called before each look: whether it is ours to take samples and to act.
    """
    with ExitStack() as stack:
        ours: list[Lease] = []

        def acts() -> bool:
            with suppress(ConflictError):
                if not ours:
                    ours.append(stack.enter_context(ctx.state.locks.held(WATCH)))
                ctx.state.locks.check(ours[0])
                return True
            ours.clear()
            return False

        yield acts


def judged(ctx: Context, planned: DrainPlan) -> tuple[Verdict, ...]:
    """Judge the gates by the samples that are there; measures and writes nothing."""
    return tuple(judge(ctx, gate) for gate in planned.gates)


def shown(ctx: Context, planned: DrainPlan) -> tuple[Verdict, ...]:
    """Judge the gates like `judged`, overrides included: what a person should see."""
    return tuple(with_override(ctx, verdict) for verdict in judged(ctx, planned))


def explained(ctx: Context, name: str) -> list[tuple[str, str]]:
    """Say of one gate in words what it measures, what is missing, since when, and what to do.

    Raises:
        UsageError: There is no gate of that name.
    """
    planned = plan(ctx, names=(name,))
    ((gate,), (verdict,)) = planned.gates, shown(ctx, planned)
    return explain(verdict, now=ctx.clock.now(), refusal=refusal_of(ctx, gate))


def override(ctx: Context, name: str, *, reason: str, confirmation: str = "") -> Override:
    """Let a gate through once, by two approvers, or a second confirmation where there are none.

    Raises:
        UsageError: There is no gate of that name.
        RefusedError: An invariant: this cannot be overridden.
        HeldError: It is not approved yet.
    """
    (gate,) = plan(ctx, names=(name,)).gates
    return overriding.override(ctx, gate, reason=reason, confirmation=confirmation)


def settle(ctx: Context, verdicts: Sequence[Verdict]) -> GateState:
    """Write verdicts to the ledger and say what they mean together."""
    for verdict in verdicts:
        record(ctx, verdict)
    return decide([verdict.state for verdict in verdicts])


def census(ctx: Context, *, keep_on: bool = False) -> CensusReport:
    """Read the sessions that the census does not know yet; killed at any point, the same again goes on.

    Args:
        ctx: The surroundings.
        keep_on: Report what a database does wrong instead of failing.

    Raises:
        MigratorError: As `take_census` does.
    """
    return take_census(ctx, keep_on=keep_on)


def silent_sessions(ctx: Context, *, acknowledging: str | None) -> SilentStore:
    """Look at a session store that is written to no more, and acknowledge that by its hash where one is given.

    Raises:
        HeldError: There is nothing that could be acknowledged.
        RefusedError: It is another table or server than was shown.
    """
    source = session_store(ctx)
    if acknowledging is None:
        return silent_store(ctx, source)
    return acknowledge_silence(ctx, source, acknowledging)


def populations(ctx: Context) -> Populations:
    """Count who can still come by the legacy path; takes no sample for a gate and writes no verdict.

    Raises:
        UsageError: A secret that a source needs is missing.
    """
    return populations_of(look(ctx, POPULATION_SOURCES))


def verify(ctx: Context, *, step: str | None = None) -> GateState:
    """Say by the ledger alone whether a step may begin."""
    return decide([found.state for found in standings(ctx, step or next_step(ctx))])


def answer(ctx: Context, step: str, name: str | None = None) -> StepAnswer:
    """Say by the ledger alone, for programs, whether a step may begin, or what one of its gates says.

    An override is not spent by that: the step itself spends it.
    """
    found = standings(ctx, step)
    chosen = tuple(gate for gate in found if name is None or gate.gate == name)
    decision = decide([gate.state for gate in chosen])
    gates = tuple(
        GateAnswer(gate.gate, str(gate.state), gate.reason, gate.good_until) for gate in chosen
    )
    said = [f"{g.gate}: {g.state}, {g.reason}" for g in chosen if not g.state.lets_through]
    if not chosen:
        named = f" called {name}" if name is not None else ""
        said = [f"no gate{named} guards {step}: an empty list proves nothing"]
    reason = "; ".join(said)
    return StepAnswer(step, decision.lets_through, str(decision), reason, gates)


def rollback(ctx: Context) -> tuple[str, ...]:
    """Begin all gates anew: samples are forgotten, and no pass given before lets anything through.

    Interrupted, some gates begin anew and the others stay as they were; run it again.

    Returns:
        The gates' names.
    """
    for gate in ctx.config.gates:
        with ctx.state.ledger.recorded("gate", "forget", gate=gate.name):
            ctx.state.samples.forget(gate.name)
            record(ctx, judge(ctx, spec_of(ctx.config, gate)))
    return tuple(gate.name for gate in ctx.config.gates)


def survey(ctx: Context, planned: DrainPlan) -> DrainPicture:
    """Look at all sources once; takes no sample for a gate and writes no verdict.

    Raises:
        UsageError: A secret that a source needs is missing.
    """
    found = look(ctx, PICTURE_SOURCES)
    return picture_of(ctx, found, step=planned.step, verdicts=shown(ctx, planned))


def recall(ctx: Context, planned: DrainPlan) -> Recalled:
    """Give the last look with the gates judged anew; measures and writes nothing."""
    return recalled_picture(ctx, step=planned.step, verdicts=shown(ctx, planned))


def evidence(ctx: Context, planned: DrainPlan) -> tuple[EvidenceRow, ...]:
    """Identify what each gate's verdict rests on."""
    return tuple(evidence_row(ctx, verdict) for verdict in shown(ctx, planned))


def health(ctx: Context) -> HealthPicture:
    """Look once at how well the cutover goes; takes no sample for a gate.

    Raises:
        UsageError: A secret that a source needs is missing.
    """
    return look_at_health(ctx)


def prometheus_rules(ctx: Context) -> dict[str, str]:
    """Render Prometheus's rules and their tests, by the names of the files; writes nothing."""
    return rule_tests.render(ctx.config)


def grafana_dashboard(ctx: Context) -> str:
    """Render Grafana's dashboard; writes nothing."""
    return render_grafana(ctx.config)


def next_step(ctx: Context) -> str:
    """Name the step that comes next: a stage, or `remove` after the last one."""
    document = current(ctx)
    if document is None:
        return str(Stage.DUAL)
    if document.stage is Stage.AUTHER:
        return REMOVE
    return str(list(Stage)[document.stage.rank + 1])


def standing(ctx: Context) -> Standing:
    """Say where the drain stands, from the state alone."""
    if _is_being_removed(ctx):
        return Standing("ended: the removal has begun")
    step = next_step(ctx)
    found = standings(ctx, step)
    held = tuple(
        f"{gate.gate}: {gate.state}, {gate.reason}"
        for gate in found
        if not gate.state.lets_through
    )
    if not found:
        held = (f"no gate guards {step}: an empty list proves nothing",)
    state = f"{len(found) - len(held) if found else 0} of {len(found)} gates before {step} passed"
    if not held and step == REMOVE:
        return Standing(state)
    following = (
        f"migrator gate check --before {step} --wait"
        if held
        else f"migrator dual-path stage set {step}"
    )
    return Standing(state, held, following)


def _is_being_removed(ctx: Context) -> bool:
    return bool(ctx.state.checkpoints.get(REMOVE, "applied"))


def _named(ctx: Context, names: Sequence[str]) -> tuple[GateSpec, ...]:
    known = {gate.name: gate for gate in ctx.config.gates}
    unknown = [name for name in names if name not in known]
    if unknown:
        there = ", ".join(known) or "none"
        raise UsageError(
            f"no gate is called {', '.join(unknown)}; there are: {there}",
            hint="migrator gate list",
        )
    return tuple(spec_of(ctx.config, known[name]) for name in names)
