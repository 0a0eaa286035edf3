"""One pass: look, ask the brakes, write, remember how far it came."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.core.errors import HeldError
from migrator.metrics.sync_check import SUBJECT
from migrator.runner.importing.collector import memory_left_alone
from migrator.runner.importing.ends import page_rows
from migrator.runner.importing.pages import batches
from migrator.runner.syncing.apply import Applier, Written, conflict
from migrator.runner.syncing.brake import Brake, enough_users
from migrator.runner.syncing.ends import RuleBook, SyncEnds, open_sync_ends
from migrator.runner.syncing.examine import Examiner
from migrator.runner.syncing.quarantine import Quarantine
from migrator.runner.syncing.standing import Lag, Standing
from migrator.runner.syncing.survey import Survey, Surveyor
from migrator.runner.writing_back.unsettled import unsettled_users

if TYPE_CHECKING:
    from migrator.legacy.changes import Horizon
    from migrator.runner.context import Context
    from migrator.runner.syncing.brake import Harm
    from migrator.state.locks import Lease

_LISTED_AFTER = 2  # So many passes in a row could not write a user.
PASS = "pass"  # noqa: S105 - the ledger's word


@dataclass(frozen=True)
class Wish:
    """What is asked of a pass.

    Attributes:
        full: Look at all users instead of those whose `updated_at` moved.
        dry_run: Write nothing.
        release: The hash of what a brake holds, after somebody looked at it.
    """

    full: bool = False
    dry_run: bool = False
    release: str = ""


@dataclass(frozen=True)
class PassReport:
    """What a pass found and did.

    Attributes:
        waiting: Users about whom something had to be done.
        wrote: What was done; all zero in a dry run.
        lag: What is left.
        unseen: Sessions whose transactions our role may not see.
        is_indexed: An index serves the search by `updated_at`.
        seconds: How long it took.
        roles_unread: Roles become access tuples, and those cannot be read: they are not followed.
    """

    full: bool
    dry_run: bool
    looked: int
    equal: int
    left_to_auther: int
    waiting: int
    would: dict[str, int]
    wrote: dict[str, int]
    lag: Lag
    unseen: int
    is_indexed: bool
    seconds: float
    roles_unread: bool = False

    @property
    def holds(self) -> bool:
        """Tell that everybody who can be followed was, and nobody is in quarantine."""
        return self.dry_run or not (self.lag.rows or self.lag.quarantined)


class Pass:
    """One pass over opened ends."""

    def __init__(self, ctx: Context, ends: SyncEnds, wish: Wish, lease: Lease | None) -> None:
        self._ctx = ctx
        self._ends = ends
        self._wish = wish
        self._lease = lease
        self._settings = ctx.config.sync
        self._standing = Standing(ctx)
        self._since = self._standing.watermark
        self._full = wish.full or self._since is None or not ends.changes.can_tell
        file = ctx.path(self._settings.rejects_file)
        imported = ctx.path(ctx.config.import_.rejects_file)
        self._quarantine = Quarantine(file, imported=imported)
        self._brake = Brake(self._settings, file.with_name("sync-brake.jsonl"))
        self._rules = RuleBook(ctx, ends, for_all=self._full)
        self._examiner = Examiner(
            ends.target,
            self._rules,
            now_ms=round(ctx.clock.now().timestamp() * 1000),
        )

    def run(self) -> PassReport:
        """Look, ask the brakes, write, remember.

        Killed at any point, the next pass begins where this one began, and ends in the same state.

        Raises:
            HeldError: A brake holds; nothing was written.
            DependencyError: A database failed; what was written stays, the rest is done again.
        """
        began, began_at = time.monotonic(), self._ctx.clock.now()
        horizon = self._ends.changes.horizon(unseen_for=self._settings.unseen_for)
        self._examiner.unsettled = unsettled_users(self._ctx)
        with ExitStack() as spools:
            survey = self._survey(spools)
            self._check_brakes(survey)
            written = Written()
            if survey.waiting and not self._wish.dry_run:
                written = self._write(survey)
            lag = self._remember(survey, written, horizon)
        if self._full and not self._wish.dry_run:
            self._standing.swept(began_at)
        return self._report(survey, written, lag, horizon, seconds=time.monotonic() - began)

    @property
    def _deletes(self) -> bool:
        return self._settings.deletes == "delete"

    def _survey(self, spools: ExitStack) -> Survey:
        surveyor = Surveyor(
            self._ends,
            self._examiner,
            self._rules,
            spools,
            delete=self._deletes,
            seen=self._quarantine.forget,
        )
        if not self._full and self._since is not None:
            again = [*self._quarantine.to_retry(), *self._standing.again]
            self._quarantine.forget(again)
            surveyor.changed(self._since, again)
            return surveyor.found
        self._quarantine.clear()
        source, rules = self._ends.legacy.source, self._rules.rules_for(())
        rows, total = page_rows(self._ctx, self._ends.target), source.estimated_users()
        with (
            batches(self._ctx, source, rules, rows=rows, users=total) as pages,
            self._ctx.progress.task("Looking at all users", total=total) as task,
        ):
            surveyor.all(pages, rows=rows, advance=task.advance)
        return surveyor.found

    def _check_brakes(self, survey: Survey) -> None:
        try:
            self._brake.check(
                survey.harm,
                users=self._counted(survey.harm),
                release=self._wish.release,
                full=self._full,
            )
        except HeldError:
            digest = survey.harm.digest()
            self._ctx.state.ledger.note(SUBJECT, "brake", digest=digest, **_would(survey))
            raise

    def _counted(self, harm: Harm) -> int:
        """Count the users, no further than to where they are enough for so much harm: it takes a while."""
        if not harm.kinds:
            return 0
        return self._ends.followed.count(at_most=enough_users(harm, self._settings))

    def _write(self, survey: Survey) -> Written:
        facts: dict[str, int | str] = {
            "full": self._full,
            "waiting": survey.waiting,
            **_would(survey),
        }
        if self._wish.release:
            facts["released"] = self._wish.release
        self._examiner.unsettled = unsettled_users(self._ctx)
        applier = Applier(
            self._ends, self._examiner, self._rules, survey.harm, delete=self._deletes
        )
        with self._ctx.state.ledger.recorded(SUBJECT, PASS, **facts) as outcome:
            applier.apply(survey, before_chunk=self._check_lease)
            outcome.update(_counts(applier.written))
        return applier.written

    def _check_lease(self) -> None:
        if self._lease is not None:
            self._ctx.state.locks.check(self._lease)

    def _remember(self, survey: Survey, written: Written, horizon: Horizon) -> Lag:
        """Note how far we came, after everything else: a pass that is killed counts for nothing."""
        before = self._standing.again
        again = {pk: before.get(pk, 0) + 1 for pk in sorted(written.unwritten)}
        self._list(survey, written, again)
        behind = horizon.behind_s
        if again and self._since is not None:
            behind = max(behind, (horizon.now - self._since).total_seconds())
        now = iso(self._ctx.clock.now())
        lag = Lag(now, len(again), round(behind, 3), self._quarantine.count)
        if self._wish.dry_run:
            return Lag(now, survey.waiting, round(behind, 3), self._quarantine.count)
        self._quarantine.save()
        self._brake.clear()
        self._standing.keep_again(again)
        self._standing.move_watermark(horizon.until - self._settings.clock_margin)
        self._standing.passed(lag)
        return lag

    def _list(self, survey: Survey, written: Written, again: dict[str, int]) -> None:
        """Put into quarantine who cannot be followed; what was seen last counts."""
        fresh = written.obstacles
        self._quarantine.forget([o.pk for o in survey.obstacles])
        self._quarantine.forget(fresh)
        self._quarantine.add(o for o in survey.obstacles if o.pk not in fresh)
        for obstacles in fresh.values():
            self._quarantine.add(obstacles)
        listed = [conflict(pk, n) for pk, n in again.items() if n >= _LISTED_AFTER]
        self._quarantine.add(listed)

    def _report(
        self, survey: Survey, written: Written, lag: Lag, horizon: Horizon, *, seconds: float
    ) -> PassReport:
        return PassReport(
            full=self._full,
            dry_run=self._wish.dry_run,
            looked=survey.looked,
            equal=survey.equal,
            left_to_auther=survey.left,
            waiting=survey.waiting,
            would=_would(survey),
            wrote=_counts(written),
            lag=lag,
            unseen=horizon.unseen,
            is_indexed=self._ends.changes.can_tell and self._ends.changes.is_indexed(),
            seconds=round(seconds, 3),
            roles_unread=survey.roles_unread,
        )


def run_pass(ctx: Context, wish: Wish, lease: Lease | None = None) -> PassReport:
    """Open both sides, make one pass, and close them again: a failover leaves nothing open.

    Raises:
        UsageError: Nothing was imported yet.
        ConflictError: A setting that shapes rows differs from when the import began.
        HeldError: A brake holds; nothing was written.
        DependencyError: A database failed; the same command goes on.
    """
    with memory_left_alone(), open_sync_ends(ctx, writing=not wish.dry_run) as ends:
        return Pass(ctx, ends, wish, lease).run()


def _would(survey: Survey) -> dict[str, int]:
    kinds = list(survey.harm.kinds.values())
    return {
        "import": survey.new,
        "change": survey.waiting - survey.new,
        **{str(kind): sum(kind in them for them in kinds) for kind in sorted(set().union(*kinds))},
    }


def _counts(written: Written) -> dict[str, int]:
    found = asdict(written)
    found["unwritten"] = len(written.unwritten)
    del found["obstacles"]
    return found
