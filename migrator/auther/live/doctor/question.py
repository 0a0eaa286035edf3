"""A question of the doctor's: what a group of them lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.auther.live.doctor.interface import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.auther.live.doctor.interface import Finding
    from migrator.auther.live.doctor.visit import Visit


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        what: What is asked, in a few words.
        probe: Finds the answer; may raise NoAnswerError.
        provider: Who would have to provide it when there is no answer.
        blocks: Not knowing the answer keeps logins from moving.
    """

    what: str
    probe: Callable[[Visit], Finding]
    provider: Provider = Provider.AUTHER
    blocks: bool = False
