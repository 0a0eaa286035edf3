from __future__ import annotations

import hmac
import re

from hypothesis import given
from hypothesis import strategies as st

from migrator.core.ids import BLOCK_ROWS, account_id, own_account_ids, user_id, user_ids

KEY = b"k" * 32


def _id(pk: int, key: bytes = KEY, source: str = "User") -> str:
    return user_id(key, namespace="shop", source=source, pk=pk)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_an_id_has_the_form_that_better_auth_makes(pk: int) -> None:
    assert re.fullmatch(r"[a-z2-7]{32}", _id(pk))


def test_a_second_run_finds_the_same_ids_and_another_key_or_source_other_ones() -> None:
    assert _id(7) == _id(7)
    assert len({_id(7), _id(7, b"x" * 32), _id(7, source="Admin"), _id(8)}) == 4


def test_rows_of_one_block_lie_together_and_blocks_are_not_in_order() -> None:
    blocks = [{_id(b * BLOCK_ROWS + i)[:6] for i in (0, 1, BLOCK_ROWS - 1)} for b in range(20)]
    assert all(len(prefixes) == 1 for prefixes in blocks)
    prefixes = [prefix for block in blocks for prefix in block]
    assert prefixes != sorted(prefixes)
    assert len(set(prefixes)) == 20


def test_ids_above_2_to_the_53_stay_apart() -> None:
    assert _id(2**53) != _id(2**53 + 1)


def test_an_account_lies_near_its_owner_and_parts_are_not_run_together() -> None:
    owner = _id(1)
    ids = {
        account_id(KEY, owner=owner, provider=provider, subject=subject)
        for provider, subject in (("a", "bc"), ("ab", "c"), ("credential", owner))
    }
    assert len(ids) == 3
    assert all(one.startswith(owner[:6]) and len(one) == 32 for one in ids)


def test_an_id_is_the_hmac_that_the_plugin_recomputes() -> None:
    text = "7:account3:own10:credential3:own"
    digest = hmac.digest(KEY, text.encode(), "sha256")
    letters = "".join("abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in digest)
    assert account_id(KEY, owner="own", provider="credential", subject="own") == letters


@given(st.lists(st.integers(min_value=-(2**63), max_value=2**63 - 1)))
def test_many_user_ids_at_once_are_those_of_each(pks: list[int]) -> None:
    at_once = user_ids(KEY, namespace="shop", source="User", pks=map(str, pks))
    assert at_once == [_id(pk) for pk in pks]


@given(st.lists(st.text() | st.text("az2", min_size=32, max_size=32)))
def test_many_account_ids_at_once_are_those_of_each(owners: list[str]) -> None:
    alone = [account_id(KEY, owner=o, provider="credential", subject=o) for o in owners]
    assert own_account_ids(KEY, owners=owners, provider="credential") == alone
