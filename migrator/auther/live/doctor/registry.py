"""All questions in the order in which they are asked, and the round that asks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.auther.live.doctor import claims, keys, logins, machines, people, plugin
from migrator.auther.live.doctor.interface import Finding, NoAnswerError, State, unsure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrator.auther.live.doctor.question import Question
    from migrator.auther.live.doctor.visit import Visit

QUESTIONS: dict[str, Question] = {
    **keys.QUESTIONS,
    **logins.QUESTIONS,
    **claims.QUESTIONS,
    **people.QUESTIONS,
    **plugin.QUESTIONS,
    **machines.QUESTIONS,
    **machines.LAST_QUESTIONS,
}
# Without these somebody who is sent to Auther stands before a closed door, or somebody else gets in.
DOORS = tuple(people.QUESTIONS)
# What no answer means, where it is worth a word of its own.
_WITHOUT_ANSWER = {
    "webhooks": "changes are polled; [webhook] listen would show a delivery",
    "account_index": "preflight looks where the file can be read",
}
# An answer of another form than better-auth's: whoever it is, nothing is known from it.
_MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def examine(visit: Visit, *, advance: Callable[[str], None]) -> dict[str, Finding]:
    """Ask every question; one that gets no answer is `unknown` and stops no other.

    Args:
        visit: The visit.
        advance: Called with what is asked next.
    """
    found: dict[str, Finding] = {}
    for code, question in _questions(visit).items():
        advance(question.what)
        found[code] = ask(visit, code, question)
    return found


def ask(visit: Visit, code: str, question: Question) -> Finding:
    """Ask one question; never raises for anything that an Auther may answer."""
    means = _WITHOUT_ANSWER.get(code, "not known" if question.blocks else "nothing depends on it")
    try:
        return question.probe(visit)
    except NoAnswerError as error:
        return unsure(str(error), means, question.provider, blocks=question.blocks)
    except _MISSHAPEN as error:
        why = f"an answer of unexpected form ({type(error).__name__})"
        return unsure(why, means, question.provider, blocks=question.blocks)


def what(code: str) -> str:
    """Say in a few words what a question is about."""
    every = QUESTIONS | people.SIGN_UP_QUESTIONS
    return every[code].what if code in every else code


def blocking(found: Mapping[str, Finding], state: State) -> list[str]:
    """Name what keeps logins from moving: what is missing, or what is not known."""
    return [code for code, one in found.items() if one.blocks and one.state is state]


def _questions(visit: Visit) -> dict[str, Question]:
    if not visit.setting.with_sign_up:
        return QUESTIONS
    first = {code: q for code, q in QUESTIONS.items() if code not in machines.LAST_QUESTIONS}
    return {**first, **people.SIGN_UP_QUESTIONS, **machines.LAST_QUESTIONS}
