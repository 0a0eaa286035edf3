"""What opens sealed material, and what does not."""

import pytest

from migrator.auther.plugin.seal import SealError, SealKey, new_key
from migrator.core.errors import UsageError

# Sealed by the plugin under the private key of 32 bytes "\x07".
KEY = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"
USER = "user0099"
VALUE = "$2a$04$2VukA4DMXimLGo2t6ENUm.YE8xmlsWXtv66FCTNxrWNP2cvw6tQm2"
SEALED = "v1.2hIjKn1BLQgnReU8FdRyyKujEU0NV0trqzNsHUi5hkU.AkQg9defiqlF0bT5ds0zbqqx0fodEF0Wvf9RH5RbTbR1NKSA0ghGuEDYy1wuLCPL0DCGOMimWn-UZTODTs_gfAYCgzOLUoMSlTu5IpdPvwS-H9a-JHB5uQ"


def test_what_the_plugin_sealed_opens() -> None:
    assert SealKey(KEY).open(SEALED, user_id=USER) == VALUE


@pytest.mark.parametrize("key", [new_key(), KEY[:-1] + "g"], ids=["new", "almost the same"])
def test_another_key_does_not_open_it(key: str) -> None:
    with pytest.raises(SealError):
        SealKey(key).open(SEALED, user_id=USER)


def test_it_belongs_to_one_user() -> None:
    with pytest.raises(SealError):
        SealKey(KEY).open(SEALED, user_id="user0002")


@pytest.mark.parametrize(
    "sealed",
    [
        "",
        "v1",
        "v1.",
        "v1..",
        "v2" + SEALED[2:],
        SEALED[:-4],
        SEALED + "AAAA",
        SEALED + ".x",
        "v1.AA.AA",
        "v1.é.é",
    ],
)
def test_what_was_changed_does_not_open(sealed: str) -> None:
    with pytest.raises(SealError) as refused:
        SealKey(KEY).open(sealed, user_id=USER)
    assert not sealed or sealed not in str(refused.value)


@pytest.mark.parametrize("text", ["", "short", "é" * 43, KEY + "AAAA"])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(UsageError):
        SealKey(text)


def test_keys_differ() -> None:
    assert SealKey(new_key()).public != SealKey(new_key()).public
