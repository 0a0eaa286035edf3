"""The fixture `prometheus`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parts import require
from tests.parts.prometheus import PrometheusServer, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus with its instances; whoever spoils one of them mends it again."""
    require("prometheus")
    server = prepare(tmp_path_factory.mktemp("prometheus"))
    shims = (server.web_1, server.web_2, server.twin)
    for shim in shims:
        shim.start().count("legacy")
    server.start()
    yield server
    server.stop()
    for shim in shims:
        shim.kill()
