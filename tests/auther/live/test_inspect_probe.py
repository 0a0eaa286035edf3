from __future__ import annotations

import pytest

from migrator.auther.live import probe as module
from migrator.auther.live.probe import Probe, probe
from migrator.conformance.issuer import Issuer


def asked(issuer: Issuer, issuers: tuple[str, ...] = ()) -> Probe:
    return probe(issuer.issuer, api=issuer.auth_url, issuers=issuers)


def test_a_running_auther_tells_issuer_and_algorithm() -> None:
    with Issuer() as issuer:
        found = asked(issuer, (issuer.issuer, "https://other"))
    assert (found.fault, found.issuer, found.algorithms) == ("", issuer.issuer, ("EdDSA",))
    assert found.issuer_known
    assert found.encrypted


def test_an_issuer_that_nobody_listed_is_not_known() -> None:
    with Issuer() as issuer:
        assert not asked(issuer, (issuer.issuer + "/",)).issuer_known


def test_nobody_there() -> None:
    with Issuer() as issuer:
        pass
    found = asked(issuer)
    assert "did not answer (ConnectError)" in found.fault
    assert not found.issuer_known


@pytest.mark.parametrize(
    ("mode", "fault"),
    [
        ("error", "answered 500"),
        ("garbage", "answered no JSON"),
        ("empty", "the key set holds no keys"),
        ("huge", "answered more than 262144 bytes"),
        ("redirect", "answered 302"),
    ],
)
def test_a_spoilt_key_set_is_a_fault(mode: str, fault: str) -> None:
    with Issuer() as issuer:
        issuer.jwks_mode = mode  # type: ignore[assignment]
        assert fault in asked(issuer).fault


def test_a_slow_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    with Issuer() as issuer:
        issuer.jwks_mode = "slow"
        assert "did not answer (ReadTimeout)" in asked(issuer).fault


def test_plain_http_is_fine_on_this_machine_only() -> None:
    with Issuer() as issuer:
        assert asked(issuer).encrypted
        assert not probe("http://auther.example", api=issuer.auth_url, issuers=()).encrypted


def test_an_address_that_is_none_is_a_fault() -> None:
    assert probe("https://[", api="https://[/api/auth", issuers=()).fault
