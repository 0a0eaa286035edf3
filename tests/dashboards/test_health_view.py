from __future__ import annotations

from datetime import UTC, datetime

from migrator.dashboards.health_view import (
    COLUMNS,
    HealthPicture,
    HealthRow,
    RegressRow,
    health_lines,
)

AT = datetime(2026, 11, 23, 4, 45, 43, tzinfo=UTC)
PICTURE = HealthPicture(
    "shop",
    AT,
    "dual 30 %",
    "5m",
    (
        HealthRow("error_ratio", 0.0002, "", {"counted": 3, "requests": 15210}),
        HealthRow("sign_in_success", None, "known of 1 weeks before, 2 are needed", {}),
        HealthRow("shim_p95_seconds", 0.0009, "", {}),
        HealthRow("login_refusals", 14.0, "", {"doors": {"form": 12, "json": 2}}),
        HealthRow("sign_in_load", 0.625, "", {"expected_per_s": 2.5, "usable_per_s": 4.0}),
    ),
    (RegressRow("errors", "error_ratio", "at most 0.05", 1, 5, acts=True),),
)


def test_the_view_fits_a_terminal_and_says_what_is_not_known() -> None:
    lines = health_lines(PICTURE)
    assert max(map(len, lines)) <= COLUMNS
    assert lines[2:7] == [
        "  error_ratio             0.02%  counted 3, requests 15210",
        "  sign_in_success       unknown  known of 1 weeks before, 2 are needed",
        "  shim_p95_seconds       0.9 ms",
        "  login_refusals             14  doors form 12 json 2",
        "  sign_in_load             0.62  expected_per_s 2.50, usable_per_s 4.00",
    ]
    assert lines[-1].startswith("  errors              error_ratio at most 0.05: 1 of 5 in a row")


def test_nothing_watched_is_said() -> None:
    bare = HealthPicture("shop", AT, "dual", "5m", (), ())
    assert health_lines(bare)[-1] == "watched behind the last step: nothing"
