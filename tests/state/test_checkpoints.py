from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import ConflictError
from migrator.state.samples import StoredSample

if TYPE_CHECKING:
    from migrator.core.clock import ManualClock
    from migrator.state.store import State


def test_a_value_is_kept_replaced_and_dropped(state: State) -> None:
    assert state.checkpoints.get("import", "after") is None
    for value in ({"pk": 5}, {"pk": 2**60}):
        state.checkpoints.put("import", "after", value)
        assert state.checkpoints.get("import", "after") == value
    state.checkpoints.put("import", "kept", value=True)
    state.checkpoints.drop("import", "after", "never there")
    assert state.checkpoints.get_some("import", ["after", "kept"]) == {"kept": True}


def test_a_value_is_swapped_only_for_the_one_that_was_read(state: State) -> None:
    swap, get = state.checkpoints.swap, state.checkpoints.get
    assert not swap("drain", "log", before={"n": 0}, after={"n": 1})
    assert swap("drain", "log", before=None, after={"n": 1.5, "a": [None]})
    assert not swap("drain", "log", before=None, after={"n": 2})
    assert get("drain", "log") == {"n": 1.5, "a": [None]}
    assert swap("drain", "log", before={"a": [None], "n": 1.5}, after={"n": 3})
    assert not swap("drain", "log", before={"n": 1}, after={"n": 4})
    assert get("drain", "log") == {"n": 3}


def test_a_choice_cannot_change_silently(state: State) -> None:
    state.checkpoints.choose("import", {"ids": "derived"})
    state.checkpoints.choose("import", {"ids": "derived", "peppers": []})
    with pytest.raises(
        ConflictError, match="'derived' when this migration began and is now 'legacy'"
    ):
        state.checkpoints.choose("import", {"model": "User", "ids": "legacy"})
    keys = ["ids", "peppers", "model"]
    assert state.checkpoints.get_some("import", keys) == {"ids": "derived", "peppers": []}


def test_samples_come_back_in_order_and_by_time(state: State, clock: ManualClock) -> None:
    taken = []
    for grade, value in (("OK", 0.0), ("NO_DATA", None)):
        taken.append(StoredSample("quiet", clock.now(), grade, value, "why", {"a": [1]}))
        state.samples.add(taken[-1])
        clock.sleep(60)
    assert state.samples.of("quiet") == taken
    assert state.samples.of("quiet", since=taken[1].at) == taken[1:]
    state.samples.forget("quiet")
    assert state.samples.of("quiet") == []
