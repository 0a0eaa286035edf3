"""Every measurement that a gate may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.metrics.health import HEALTH_MEASURES
from migrator.metrics.measures import MEASURES

if TYPE_CHECKING:
    from migrator.config.gate import Measurement
    from migrator.metrics.measures import Measure

ALL_MEASURES: dict[Measurement, Measure] = {**MEASURES, **HEALTH_MEASURES}
