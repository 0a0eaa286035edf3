"""Takes deliveries, each once, and rings for whoever waits for news."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.auther.webhook.delivery import Delivery, RefusedDeliveryError, Trust, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from migrator.core.clock import Clock

NEW, AGAIN = "new", "again"
# Of ids that are remembered; who has the secret only could send more, and a second ring does no harm.
_IDS_MAX = 100_000


@dataclass
class Heard:
    """What came since the receiver began.

    Attributes:
        results: `new`, `again` or why it was refused, with their numbers.
        last: The newest event that was believed.
        late: How long after the event it came.
    """

    results: Counter[str] = field(default_factory=Counter)
    last: Delivery | None = None
    late: timedelta | None = None


class Receiver:
    """Believes or refuses deliveries; may be called from several threads.

    A bell, no messenger: what changed is read from Auther's change export afterwards, so that a lost,
    doubled or forged delivery changes nothing but when that happens.

    Args:
        trust: What a delivery has to satisfy.
        clock: Tells when it came.
    """

    def __init__(self, trust: Trust, clock: Clock) -> None:
        self._trust = trust
        self._clock = clock
        self._lock = threading.Lock()
        self._rung = threading.Event()
        self._ids: OrderedDict[str, datetime] = OrderedDict()
        self._heard = Heard()

    def take(self, headers: Mapping[str, str], body: bytes) -> None:
        """Ring if this is news.

        Raises:
            RefusedDeliveryError: It is not believed.
        """
        now = self._clock.now()
        try:
            delivery = read(headers, body, self._trust, now=now)
        except RefusedDeliveryError as error:
            self.refuse(error)
            raise
        with self._lock:
            is_new = self._is_new(delivery, now)
            self._heard.results[NEW if is_new else AGAIN] += 1
            if is_new:
                self._heard.last, self._heard.late = delivery, now - delivery.at
        if is_new:
            self._rung.set()

    def refuse(self, error: RefusedDeliveryError) -> None:
        """Count one that was refused."""
        with self._lock:
            self._heard.results[str(error.why)] += 1

    def heard(self) -> Heard:
        """Give what came so far."""
        with self._lock:
            return Heard(Counter(self._heard.results), self._heard.last, self._heard.late)

    def sleep(self, seconds: float) -> None:
        """Wait until it rings, or so many seconds."""
        self._rung.wait(seconds)
        self._rung.clear()

    def _is_new(self, delivery: Delivery, now: datetime) -> bool:
        # Twice as long as an event may be old: an id is known as long as its delivery would be believed.
        while self._ids:
            oldest = next(iter(self._ids.values()))
            if len(self._ids) < _IDS_MAX and now - oldest <= 2 * self._trust.window:
                break
            self._ids.popitem(last=False)
        if delivery.id in self._ids:
            return False
        self._ids[delivery.id] = now
        return True
