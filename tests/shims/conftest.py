"""Which tests one worker has to itself."""

from pathlib import Path

import pytest

# Most tests there use one running application, and each worker would start another.
TOGETHER = [Path(__file__).parent / name for name in ("asgi", "rails")]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker have all tests of a folder, but for those that name a group of their own."""
    for item in items:
        if item.path.parent in TOGETHER and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.parent.name))
