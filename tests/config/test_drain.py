from __future__ import annotations

import pytest
from pydantic import ValidationError

from migrator.config.drain import DrainSection

PROMETHEUS = {"url": "http://127.0.0.1:9090", "match": {"job": "shop"}}
LOG = {"instance": "web-1", "files": "web-1.log"}


@pytest.mark.parametrize(
    "section",
    [
        {},
        {"counters": "prometheus", "prometheus": PROMETHEUS},
        {"counters": "logs", "logs": [LOG, {**LOG, "instance": "web-2"}]},
    ],
)
def test_each_source_of_counters_goes_with_its_section(section: dict[str, object]) -> None:
    assert DrainSection.model_validate(section).counters == section.get("counters", "shims")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"counters": "prometheus"}, "goes with url and match in \\[drain.prometheus\\]"),
        ({"counters": "logs"}, "goes with a \\[\\[drain.logs\\]\\] for each instance"),
        ({"counters": "statsd"}, "'shims', 'prometheus' or 'logs'"),
        ({"logs": [LOG, LOG]}, "two \\[\\[drain.logs\\]\\] have the same instance"),
        ({"prometheus": {**PROMETHEUS, "match": {}}}, "at least 1 item"),
        (
            {"prometheus": {**PROMETHEUS, "match": {'job="x"} or vector(0) #': ""}}},
            "match pattern",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(section: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DrainSection.model_validate(section)
