"""What a gate asks for, and the hash that ties samples and verdicts to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.gates.subject import subject_of

if TYPE_CHECKING:
    from migrator.config.gate import GateSection, Measurement
    from migrator.config.model import Config
    from migrator.config.regress import RegressSection

REMOVE = "remove"
REGRESS = "regress"
STAGE_PASS_GOOD_FOR = timedelta(hours=24)
REMOVE_PASS_GOOD_FOR = timedelta(minutes=15)
COVERED_RATIO = 0.9
SHORTEST_SILENCE = timedelta(seconds=10)  # A slow look is no silence, however short the interval.


@dataclass(frozen=True)
class GateSpec:
    """A gate with everything that its verdict depends on.

    Attributes:
        before: The step it guards: a stage, or `remove`; `regress` when it guards the way behind.
        at_most: The bound to enter OK, None without an upper one.
        at_least: Likewise, None without a lower one.
        leave_above: The upper bound while the sample before was OK.
        leave_below: The lower bound while the sample before was OK.
        consecutive: How many samples in a row must be OK.
        span: How long the samples must reach back.
        interval: The time between two samples.
        control: Whether the positive control must have been counted.
        subject: What is measured: tables, addresses, expected instances.
    """

    name: str
    before: str
    measure: Measurement
    at_most: float | None
    at_least: float | None
    leave_above: float | None
    leave_below: float | None
    consecutive: int
    span: timedelta
    interval: timedelta
    control: bool
    subject: str

    @property
    def hash(self) -> str:
        """Identify the specification; 64 hex digits, another one for any change."""
        content = {key: str(value) for key, value in self.__dict__.items()}
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def good_for(self) -> timedelta:
        """Say how long a pass may be relied on."""
        return REMOVE_PASS_GOOD_FOR if self.before == REMOVE else STAGE_PASS_GOOD_FOR

    @property
    def longest_gap(self) -> timedelta:
        """Say after what silence somebody stopped looking: a longer one needs a new beginning."""
        return max(2 * self.interval + self.span * (1 - COVERED_RATIO), SHORTEST_SILENCE)

    @property
    def bears_no_loss(self) -> bool:
        """Say whether a single event breaks it, so that none may have gone uncounted within its span."""
        return self.at_most is not None and self.leave_above is None

    @property
    def bound_in_words(self) -> str:
        """Say the bounds, e.g. `at most 0`."""
        said = [f"at most {self.at_most:g}"] if self.at_most is not None else []
        said += [f"at least {self.at_least:g}"] if self.at_least is not None else []
        return " and ".join(said)


def spec_of(config: Config, gate: GateSection) -> GateSpec:
    """Put a gate's section together with what it measures."""
    return GateSpec(
        name=gate.name,
        before=gate.before,
        measure=gate.measure,
        at_most=gate.at_most,
        at_least=gate.at_least,
        leave_above=gate.leave_above,
        leave_below=gate.leave_below,
        consecutive=gate.consecutive,
        span=gate.span,
        interval=gate.interval,
        control=gate.control,
        subject=subject_of(config, gate.measure),
    )


def spec_of_regress(config: Config, regress: RegressSection) -> GateSpec:
    """Put a regress's section together with what it measures."""
    return GateSpec(
        name=regress.name,
        before=REGRESS,
        measure=regress.measure,
        at_most=regress.at_most,
        at_least=regress.at_least,
        leave_above=None,
        leave_below=None,
        consecutive=regress.consecutive,
        span=timedelta(0),
        interval=regress.interval,
        control=False,
        subject=subject_of(config, regress.measure),
    )


def specs_before(config: Config, step: str) -> tuple[GateSpec, ...]:
    """Give the gates that guard a step, in the order of the file."""
    return tuple(spec_of(config, gate) for gate in config.gates_before(step))
