"""The bell: each delivery rings once."""

import threading
from datetime import timedelta

import pytest

from migrator.auther.webhook.delivery import SIGNATURE, RefusedDeliveryError
from migrator.auther.webhook.receiver import Receiver
from migrator.core.clock import ManualClock
from tests.auther.webhook.test_delivery import NOW, TRUST, made

FOREVER_S = 60


def test_a_delivery_ends_a_pause() -> None:
    receiver = Receiver(TRUST, ManualClock(NOW))
    waiting = threading.Thread(target=receiver.sleep, args=(FOREVER_S,))
    waiting.start()
    receiver.take(*made())
    waiting.join(FOREVER_S / 2)
    assert not waiting.is_alive()


def test_one_that_came_before_the_pause_ends_it_too() -> None:
    receiver = Receiver(TRUST, ManualClock(NOW))
    receiver.take(*made())
    waiting = threading.Thread(target=receiver.sleep, args=(FOREVER_S,))
    waiting.start()
    waiting.join(FOREVER_S / 2)
    assert not waiting.is_alive()


def test_it_counts_what_came() -> None:
    clock = ManualClock(NOW + timedelta(seconds=3))
    receiver = Receiver(TRUST, clock)
    receiver.take(*made())
    receiver.take(*made())
    headers, body = made()
    with pytest.raises(RefusedDeliveryError):
        receiver.take({**headers, SIGNATURE: "0" * 64}, body)
    heard = receiver.heard()
    assert heard.results == {"new": 1, "again": 1, "bad_signature": 1}
    assert heard.late == timedelta(seconds=3)


def test_ids_are_known_as_long_as_their_delivery_would_be_believed() -> None:
    clock = ManualClock(NOW)
    receiver = Receiver(TRUST, clock)
    receiver.take(*made())
    clock.at = NOW + TRUST.window
    receiver.take(*made())
    assert receiver.heard().results == {"new": 1, "again": 1}
