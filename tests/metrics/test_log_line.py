from __future__ import annotations

import json

import pytest

from migrator.metrics.interface import Labels
from migrator.metrics.log_line import Decided, UnreadableError, decision_of

LINE = {"event": "auth", "path": "legacy", "outcome": "accepted", "stage": "drain", "reason": ""}
LEGACY = Labels("legacy", "accepted", "drain", "", synthetic=False)
COMPACT = json.dumps(LINE, separators=(",", ":"))


def labels_of(line: bytes) -> Labels | None:
    found = decision_of(line)
    return None if found is None else found.labels


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(LINE),
        COMPACT,
        f"2026/11/27 23:59:01 {COMPACT}",
        f"I, [2026-11-27T23:59:01.123456 #42]  INFO -- : [4f1c] {COMPACT}",
        f"2026-11-27T23:59:01.123456789Z stdout F {COMPACT}\r",
        json.dumps({"log": COMPACT + "\n", "stream": "stdout", "time": "2026-11-27T23:59:01Z"}),
        json.dumps({"level": "INFO", "message": json.dumps(LINE), "logger": "auther_dual_path"}),
    ],
    ids=["python", "node", "go", "rails", "kubernetes", "docker", "formatter"],
)
def test_a_decision_is_read_however_the_line_travels(line: str) -> None:
    assert labels_of(line.encode()) == LEGACY


def test_markers_conflicts_and_lines_without_a_reason_are_read() -> None:
    marker = {**LINE, "synthetic": True}
    assert labels_of(json.dumps(marker).encode()) == LEGACY._replace(synthetic=True)
    conflict = {**LINE, "path": "both", "outcome": "refused", "reason": "conflict"}
    labels = Labels("both", "refused", "drain", "conflict", synthetic=False)
    assert labels_of(json.dumps({**conflict, "parties": ["a", "b"]}).encode()) == labels
    assert labels_of(COMPACT.replace(',"reason":""', "").encode()) == LEGACY


@pytest.mark.parametrize(
    ("said", "waited_s"), [(1500, 0.0015), (0, 0), (-1, None), (True, None), ("7", None)]
)
def test_how_long_a_request_waited_is_read_where_it_is_a_time(
    said: object, waited_s: float | None
) -> None:
    found = decision_of(json.dumps({**LINE, "waited_us": said}).encode())
    assert found == Decided(LEGACY, waited_s)


@pytest.mark.parametrize("client", ["browser", "app", "api"])
def test_the_kind_of_client_is_read(client: str) -> None:
    assert labels_of(json.dumps({**LINE, "client": client}).encode()) == LEGACY._replace(
        client=client
    )


@pytest.mark.parametrize("client", ["tablet", "", 7, None, ["browser"]])
def test_a_kind_that_is_not_on_the_list_is_unknown_and_the_request_counts(client: object) -> None:
    assert labels_of(json.dumps({**LINE, "client": client}).encode()) == LEGACY


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET /members 200",
        '{"event":"auth_warning","problem":"x"}',
        'Parameters: {"event"=>"auth", "path"=>"legacy"}',
        "\xff\x00",
    ],
)
def test_other_lines_are_left_alone(line: str) -> None:
    assert labels_of(line.encode("latin-1")) is None


@pytest.mark.parametrize(
    "line",
    [
        COMPACT[:-1],
        f"{COMPACT[:40]}{COMPACT}",
        f"{COMPACT} and more",
        COMPACT.replace("legacy", "elsewhere"),
        COMPACT.replace('"accepted"', "1"),
        COMPACT.replace('"drain"', '""'),
        COMPACT.replace('""}', "5}"),
        COMPACT.replace("}", ',"synthetic":"yes"}'),
        COMPACT.replace("accepted", "a" * 65),
        '{"a":' * 5000 + COMPACT,
        '["event":"auth"]',
    ],
)
def test_a_decision_that_cannot_be_read_is_said_so(line: str) -> None:
    with pytest.raises(UnreadableError):
        labels_of(line.encode())
