from __future__ import annotations

import pytest

from migrator.cli.address import Address
from migrator.core.errors import DependencyError, UsageError

NONE = ["8799", "localhost:8799", "127.0.0.1:http", "127.0.0.1:99999", "127.0.0.1:-5", ""]
REACH = [
    ("127.0.0.1:0", True),
    ("127.9.9.9:0", True),
    ("[::1]:0", True),
    ("0.0.0.0:0", False),
    ("[::]:0", False),
]


@pytest.mark.parametrize("listen", NONE)
def test_what_is_no_address_with_a_port_is_a_usage_error(listen: str) -> None:
    with pytest.raises(UsageError, match="write an address and a port"):
        Address(listen)


@pytest.mark.parametrize(("listen", "is_local"), REACH)
def test_only_loopback_is_local(listen: str, is_local: bool) -> None:
    assert Address(listen).is_local is is_local


def test_a_local_page_answers_to_the_machines_own_names_only() -> None:
    address = Address("127.0.0.1:0")
    with address.listener() as listener:
        port = listener.getsockname()[1]
        assert address.hosts(listener, ("page.example",)) == {
            *(f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]", "page.example")),
            "page.example",
        }


def test_a_port_that_is_taken_is_said() -> None:
    with Address("127.0.0.1:0").listener() as listener:
        again = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(DependencyError, match=f"cannot listen on {again}"):
            Address(again).listener()
