"""Who Auther says it is, what it signs with, and what time it has."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from migrator.auther.live.doctor.interface import (
    Finding,
    NoAnswerError,
    Provider,
    lacking,
    there,
)
from migrator.auther.live.doctor.question import Question
from migrator.auther.live.probe import algorithm_of, is_encrypted

if TYPE_CHECKING:
    from migrator.auther.live.doctor.visit import Visit

# The shims allow this much between Auther's clock and their own.
LEEWAY_S = 60
_EDDSA = "EdDSA"


def discovery(visit: Visit) -> Finding:
    """The discovery document, over https or on this machine."""
    visit.discovery()
    if is_encrypted(visit.setting.base_url):
        return there(visit.setting.base_url, "Auther answers")
    return lacking(
        f"{visit.setting.base_url} is not https",
        "shims fetch keys over https only: put TLS before it and mend [auther] base_url",
        blocks=True,
    )


def issuer(visit: Visit) -> Finding:
    """Whose name the tokens carry."""
    name = str(visit.discovery().json.get("issuer", ""))
    if name in visit.setting.issuers:
        return there(name, "the shims accept it")
    return lacking(
        f"Auther names itself {name or 'nothing'}, which [auther] issuers does not hold",
        f'add "{name}" to issuers, or mend base_url',
        Provider.APPLICATION,
        blocks=True,
    )


def algorithm(visit: Visit) -> Finding:
    """What the published keys sign with; the discovery document promises more than is true."""
    signs = sorted({algorithm_of(key) for key in visit.key_set()})
    promised = visit.discovery().json.get("id_token_signing_alg_values_supported")
    said = ", ".join(map(str, promised)) if isinstance(promised, list) else "nothing"
    text = f"keys sign with {', '.join(signs)} (the discovery document lists {said})"
    if _EDDSA in signs:
        return there(text, "the shims verify EdDSA and nothing else")
    return lacking(text, "the shims verify EdDSA: let Auther's jwt plugin use it", blocks=True)


def clock(visit: Visit) -> Finding:
    """How far Auther's clock is from this machine's; the header counts whole seconds."""
    answer = visit.asker.ask("GET", f"{visit.setting.api}/ok")
    ours = visit.clock.now()
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        ahead = (theirs - ours).total_seconds() + 0.5 + answer.seconds / 2
    except (ValueError, TypeError) as error:
        raise NoAnswerError("Auther sends no Date header") from error
    text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    if abs(ahead) <= LEEWAY_S:
        return there(text, f"the shims allow {LEEWAY_S} s")
    return lacking(text, "tokens would be refused: set the clocks (NTP)", blocks=True)


QUESTIONS = {
    "discovery": Question("discovery and key set", discovery, blocks=True),
    "issuer": Question("the issuer is known to the shims", issuer, blocks=True),
    "algorithm": Question("signing algorithm", algorithm, blocks=True),
    "clock": Question("clock", clock),
}
