"""What each library brought, and what is lost with it."""

from __future__ import annotations

from typing import get_args

from migrator.config.remove import Known, RemoveSection
from migrator.sqlgen.usual.interface import Loss
from migrator.sqlgen.usual.registry import USUAL, losses


def test_the_configuration_can_name_every_library() -> None:
    assert set(get_args(Known)) == {"usual", *USUAL}


def test_every_loss_can_be_acknowledged() -> None:
    section = RemoveSection(acknowledged=tuple(loss.value for loss in Loss))
    assert section.acknowledged == tuple(Loss)


def test_a_protection_is_lost_whichever_library_its_column_is_from() -> None:
    assert losses(["email", "locked_at", "two_factor_secret", "passkey"]) == {
        Loss.LOCKOUT: ("locked_at",),
        Loss.SECOND_FACTORS: ("two_factor_secret", "passkey"),
    }
    assert losses(["encrypted_password", "remember_token"]) == {}
