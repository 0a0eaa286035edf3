"""Secrets that real libraries wrote are opened; whatever else stands there is called by its reason."""

from __future__ import annotations

import base64
import csv
import json
from typing import TYPE_CHECKING, get_args

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.config.people import TotpSection
from migrator.core.errors import UsageError
from migrator.legacy.second_factor.devise_two_factor import DeviseTwoFactor
from migrator.legacy.second_factor.fortify import Fortify
from migrator.legacy.second_factor.interface import Fault, Secret
from migrator.legacy.second_factor.registry import VAULTS
from tests.parts.dump import DATA
from tests.parts.laravel_site import APP_KEY, OLD_KEY
from tests.phases.importing import OTP_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

Rows = "dict[str, Sequence[str | None]]"


def rows(dsn: str, columns: Sequence[str]) -> Rows:
    query = f"SELECT id::text, {', '.join(columns)} FROM users WHERE {columns[0]} IS NOT NULL"
    with psycopg.connect(dsn) as connection:
        return {pk: values for pk, *values in connection.execute(query.encode())}


def known(file: str) -> dict[str, str]:
    with (DATA / file).open(encoding="utf-8", newline="") as lines:
        return {row["id"]: row["otp_secret"] for row in csv.DictReader(lines) if row["otp_secret"]}


def test_what_devise_two_factor_wrote_is_opened(devise_db: str) -> None:
    vault = DeviseTwoFactor(["not this one", OTP_KEY])
    found = {pk: vault.open(values) for pk, values in rows(devise_db, vault.columns).items()}
    assert found == {pk: Secret(text) for pk, text in known("devise_600_plaintext.csv").items()}
    (box, iv, salt), *_ = rows(devise_db, vault.columns).values()
    assert DeviseTwoFactor(["not this one"]).open((box, iv, salt)) is Fault.WRONG_KEY
    assert vault.open((None, iv, salt)) is Fault.NO_SECRET
    assert vault.open((box, None, salt)) is Fault.MALFORMED


def test_what_laravel_encrypted_is_opened_with_either_cipher_and_an_older_key(
    laravel_db: str,
) -> None:
    vault = Fortify([APP_KEY, OLD_KEY])
    found = {pk: vault.open(values) for pk, values in rows(laravel_db, vault.columns).items()}
    expected = {
        pk: Fault.MALFORMED if text == "undecryptable" else Secret(text)
        for pk, text in known("laravel_plaintext.csv").items()
    }
    assert found == expected
    closed = [Fortify([APP_KEY]).open(v) for v in rows(laravel_db, vault.columns).values()]
    assert closed.count(Fault.WRONG_KEY) == 1
    assert vault.open([""]) is Fault.NO_SECRET


def test_a_changed_secret_does_not_open(laravel_db: str) -> None:
    vault = Fortify([APP_KEY, OLD_KEY])
    for values in rows(laravel_db, vault.columns).values():
        if vault.open(values) is Fault.MALFORMED:
            continue
        parts = json.loads(base64.b64decode(str(values[0])))
        raw = bytearray(base64.b64decode(parts["value"]))
        raw[0] ^= 1
        parts["value"] = base64.b64encode(raw).decode()
        changed = base64.b64encode(json.dumps(parts).encode()).decode()
        assert vault.open([changed]) is Fault.WRONG_KEY


def test_a_secret_shows_in_no_representation() -> None:
    assert "GEZDGNBV" not in f"{Secret('GEZDGNBVGY3TQOJQ')!r} {Secret('GEZDGNBVGY3TQOJQ')}"


def test_each_library_has_its_name_in_the_configuration() -> None:
    assert get_args(TotpSection.model_fields["kind"].annotation) == tuple(VAULTS)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.tuples(*[st.none() | st.text(max_size=30)] * 3))
def test_nothing_in_the_columns_is_an_error(values: tuple[str | None, ...]) -> None:
    vaults = (DeviseTwoFactor([OTP_KEY]).open(values), Fortify([APP_KEY]).open(values[:1]))
    assert all(isinstance(found, Fault) for found in vaults)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    parts=st.dictionaries(
        st.sampled_from(["iv", "value", "mac", "tag"]), st.text(max_size=30) | st.none()
    )
)
def test_nothing_in_laravels_envelope_is_an_error(parts: dict[str, str | None]) -> None:
    box = base64.b64encode(json.dumps(parts).encode()).decode()
    assert isinstance(Fortify([APP_KEY]).open([box]), Fault)


@pytest.mark.parametrize("key", ["", "base64:", "base64:%%%", "base64:c2hvcnQ=", "too short"])
def test_what_is_no_key_of_laravels_is_named(key: str) -> None:
    with pytest.raises(UsageError, match="this is no key of Laravel's"):
        Fortify([key])
