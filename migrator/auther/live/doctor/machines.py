"""What programs use of Auther: API keys, webhooks, limits, logout; and its database's index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.auther.live.doctor.asking import FETCH
from migrator.auther.live.doctor.interface import (
    Finding,
    NoAnswerError,
    Provider,
    lacking,
    there,
    unsure,
)
from migrator.auther.live.doctor.plugin import capabilities_on
from migrator.auther.live.doctor.question import Question
from migrator.auther.live.doctor.visit import OK, TOO_MANY, retry_after

if TYPE_CHECKING:
    from migrator.auther.live.doctor.visit import Visit

_NOT_FOUND = 404
_SIGN_INS_ASKED = 5
_NEEDS_KEY = "needs [auther.doctor] api_key"


def exchange(visit: Visit) -> Finding:
    """An API key for a short-lived token."""
    key = visit.setting.api_key
    url = f"{visit.setting.api}/api-key/exchange"
    answer = visit.asker.ask("POST", url, headers=FETCH, json={"apiKey": key or "none"})
    other = "programs ask check-permission with x-api-key instead"
    if answer.status == OK and answer.json.get("token"):
        lasts = answer.json.get("expiresIn")
        return there(f"a token for {lasts} s", "programs may use it as a bearer")
    if answer.status == _NOT_FOUND:
        return lacking("there is no exchange (404)", other, Provider.APPLICATION)
    if key is None:
        return unsure(f"the route is there; {_NEEDS_KEY}", other, Provider.APPLICATION)
    return lacking(f"answers {answer.status} for our key", other, Provider.APPLICATION)


def check_permission(visit: Visit) -> Finding:
    """The machine path that works today."""
    key = visit.setting.api_key
    if key is None:
        raise NoAnswerError(_NEEDS_KEY)
    answer = visit.asker.ask(
        "POST",
        f"{visit.setting.api}/check-permission",
        headers=FETCH | {"x-api-key": key},
        json={"entityType": "migrator_doctor", "entityId": "1", "permission": "read"},
    )
    if answer.status == OK and "allowed" in answer.json:
        return there("answers", "programs may ask it")
    return lacking(f"answers {answer.status}", "see exchange", Provider.APPLICATION)


def webhooks(visit: Visit) -> Finding:
    """Only a delivery shows how it is signed and timed."""
    if visit.setting.deliveries is None:
        raise NoAnswerError("only a delivery to an endpoint of ours would show signature and time")
    are_believed, said = visit.setting.deliveries
    if are_believed:
        return there(said, "they wake the write-back; what they do not tell is polled as before")
    means = "polling does their work; look at [webhook] secret, signed and window"
    return lacking(said, means, Provider.APPLICATION)


def limits(visit: Visit) -> Finding:
    """What happens to many sign-ins from one address; asked with an address that cannot be one."""
    body = {"email": "not-an-address", "password": "none"}
    url = f"{visit.setting.api}/sign-in/email"
    for count in range(1, _SIGN_INS_ASKED + 1):
        answer = visit.asker.ask("POST", url, headers=FETCH, json=body)
        if answer.status == TOO_MANY:
            wait = retry_after(answer)
            asks = "X-Retry-After" if answer.headers.get("x-retry-after") else "Retry-After"
            said = f"{asks}: {wait:.0f}" if wait is not None else "no word when to come back"
            return there(
                f"429 at sign-in {count} from one address, {said}",
                "behind a proxy Auther must see people's own addresses (X-Forwarded-For)",
            )
    return lacking(
        f"none within {_SIGN_INS_ASKED} sign-ins",
        "guessing passwords is not slowed: enable rateLimit",
    )


def end_session(visit: Visit) -> Finding:
    """Whether an application can end Auther's session."""
    if url := visit.discovery().json.get("end_session_endpoint"):
        return there(f"end_session_endpoint {url}", "a logout may lead there")
    if "logout" in capabilities_on(visit):
        return there("the plugin ends sessions", "a logout ends Auther's too", Provider.PLUGIN)
    return lacking(
        "no end-session, and the plugin's capability logout is off",
        "a logout leaves Auther's session: the next login asks for no password",
        Provider.PLUGIN,
    )


def account_index(visit: Visit) -> Finding:
    """The index without which each sign-in reads the whole table."""
    indexed = visit.setting.account_index
    if indexed is None:
        raise NoAnswerError("Auther's database is not readable from here")
    if indexed:
        return there("on account.user_id", "a sign-in costs 0.02 ms there", Provider.APPLICATION)
    return lacking(
        "account.user_id has no index",
        "17 ms a sign-in at 100,000 users: account_index = true under [import] makes it",
        Provider.APPLICATION,
    )


QUESTIONS = {
    "exchange": Question("API key exchange", exchange),
    "check_permission": Question("check-permission", check_permission),
    "webhooks": Question("webhooks", webhooks, Provider.APPLICATION),
    "end_session": Question("logout", end_session, Provider.PLUGIN),
    "account_index": Question("index on account.user_id", account_index, Provider.APPLICATION),
}
# Last: afterwards Auther refuses sign-ins from here for some seconds.
LAST_QUESTIONS = {"limits": Question("limits on sign-ins", limits)}
