"""What is said of pairs: nothing without enough of them, and no verdict that the whole interval does not bear out."""

import subprocess
import sys

import pytest

from tests.benchmarks.pairs import Middle
from tests.benchmarks.turns import in_turns

# From tables of the sign test: the ranks between which the median lies in at least 95 of 100 samples.
RANKS = {6: (1, 6), 8: (1, 8), 9: (2, 8), 12: (3, 10), 20: (6, 15), 25: (8, 18), 100: (40, 61)}


@pytest.mark.parametrize(("count", "ranks"), RANKS.items())
def test_the_interval_ends_at_the_ranks_of_the_sign_test(
    count: int, ranks: tuple[int, int]
) -> None:
    found = Middle.of([float(rank) for rank in range(count, 0, -1)])
    assert (found.low, found.high) == ranks
    assert found.median == (count + 1) / 2


def test_five_values_have_no_interval() -> None:
    with pytest.raises(ValueError, match="fewer than 6"):
        Middle.of([1.0] * 5)


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [(0.7, "holds"), (0.75, "cannot tell"), (0.8, "cannot tell"), (0.81, "misses")],
)
def test_a_verdict_needs_the_whole_interval(bound: float, verdict: str) -> None:
    assert Middle(0.75, 0.7, 0.8).verdict(at_least=bound) == verdict


def test_one_process_waits_while_the_other_has_its_turn(tmp_path) -> None:
    told = tmp_path / "told"
    program = (
        "import sys; from tests.benchmarks.turns import hand_over\n"
        "for _ in range(int(sys.argv[2])):\n"
        "    hand_over()\n"
        f"    print(sys.argv[1], file=open({str(told)!r}, 'a'), flush=True)\n"
        "print('something logged'); print('{}', flush=True)"
    )
    ran = [
        subprocess.Popen(
            [sys.executable, "-c", program, name, str(turns)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name, turns in (("a", 3), ("b", 2))
    ]
    assert in_turns(*ran) == ["{}", "{}"]
    for process in ran:
        process.communicate()
    assert told.read_text().split() == ["a", "b", "a", "b", "a"]
