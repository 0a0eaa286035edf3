"""Makes a verdict from what preflight found: what stops the migration, what only needs care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.runner.readiness.application_rules import APPLICATION_WARNINGS
from migrator.runner.readiness.auther_rules import AUTHER_BLOCKERS, AUTHER_WARNINGS
from migrator.runner.readiness.legacy_blockers import LEGACY_BLOCKERS
from migrator.runner.readiness.legacy_warnings import LEGACY_WARNINGS

if TYPE_CHECKING:
    from migrator.config.model import Config
    from migrator.runner.readiness.findings import Findings
    from migrator.runner.readiness.reason import Reason


@dataclass(frozen=True)
class Verdict:
    """Ready, or not for these reasons."""

    blockers: tuple[Reason, ...]
    warnings: tuple[Reason, ...]

    @property
    def ready(self) -> bool:
        """Tell whether nothing stops the import."""
        return not self.blockers


def judge(found: Findings, config: Config) -> Verdict:
    """Apply every rule, each exactly once, in the order in which they are listed."""
    blocking = LEGACY_BLOCKERS + AUTHER_BLOCKERS
    warning = LEGACY_WARNINGS + AUTHER_WARNINGS + APPLICATION_WARNINGS
    return Verdict(
        blockers=tuple(reason for rule in blocking for reason in rule(found, config)),
        warnings=tuple(reason for rule in warning for reason in rule(found, config)),
    )
