from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.runner.importing.shadow import shadow_proof, upper_bound
from phases import p1_import
from tests.phases.importing import make_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.importing import Site

FILL = (
    "INSERT INTO migrator_shadow (source, user_pk, matched, reason)"
    " SELECT 'User', n::text, n <> %s, '' FROM generate_series(1, %s) AS n"
)


def test_none_in_three_thousand_is_less_than_one_in_a_thousand() -> None:
    assert upper_bound(0, 3000) < 0.001 < upper_bound(0, 2900)


@given(st.integers(min_value=1, max_value=100_000))
def test_without_a_finding_the_bound_has_a_closed_form(of: int) -> None:
    assert math.isclose(upper_bound(0, of), 1 - 0.05 ** (1 / of), rel_tol=1e-9)


@pytest.mark.parametrize(
    ("found", "of", "bound"),
    # The tables of Clopper and Pearson's one-sided 95 % limit.
    [(1, 10, 0.39416), (3, 50, 0.14784), (10, 100, 0.16372), (5, 5, 1.0), (0, 0, 1.0)],
)
def test_with_findings_it_is_the_exact_binomial_one(found: int, of: int, bound: float) -> None:
    assert upper_bound(found, of) == pytest.approx(bound, abs=5e-5)


@pytest.fixture
def site(devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A migration whose users are imported."""
    site = make_site(tmp_path / "site", devise_db, monkeypatch)
    p1_import.run(site.ctx)
    return site


def test_nobody_seen_proves_nothing(site: Site) -> None:
    proof = shadow_proof(site.ctx)
    assert (proof.holds, proof.bound, proof.users_missing) == (False, 1.0, 2995)


def test_enough_users_without_a_mismatch_hold(site: Site) -> None:
    site.sql(FILL, 0, 2995)
    assert shadow_proof(site.ctx).holds
    assert not shadow_proof(site.ctx, at_most=0.0005).holds


def test_one_mismatch_never_holds_and_is_named(site: Site) -> None:
    site.sql(FILL, 17, 20_000)
    proof = shadow_proof(site.ctx)
    assert proof.bound < proof.at_most
    assert not proof.holds
    assert [mismatch.pk for mismatch in proof.checks.shown] == ["17"]


def test_users_of_another_model_do_not_count(site: Site) -> None:
    site.sql(FILL, 0, 3000)
    site.sql("UPDATE migrator_shadow SET source = 'AdminUser'")
    assert shadow_proof(site.ctx).checks.users == 0
