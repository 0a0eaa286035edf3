"""The detection control: a made-up legacy session goes through the very detector that counts.

Without it a renamed cookie would blind the detector, and "no legacy requests" would be true of
nothing but the counter.
"""

from __future__ import annotations

import logging

from .metrics import Counters
from .sessions import DjangoDetector

EVERY_S = 60
_log = logging.getLogger(__name__)


def control(detector: DjangoDetector, counters: Counters) -> None:
    """Show the detector its fixture, and say whether it saw it."""
    try:
        sees = detector.holds_user(detector.fixture())
    except Exception as error:  # noqa: BLE001 (whatever it is, the detector is blind)
        _log.warning("the detection control failed (%s)", type(error).__name__)
        sees = False
    counters.detector_sees_fixture = sees
