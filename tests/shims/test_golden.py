"""The generated code as it is kept is the generated code as it is."""

import pytest

from tests.shims.golden import KEPT, kept, rendered


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_is_what_is_rendered(name: str) -> None:
    assert kept(name) == rendered(name), "run `python -m tests.shims.golden` and read the diff"
