"""The plugin for imported passwords, seen from outside: which capabilities are on, how fast it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import TYPE_CHECKING, Any

from migrator.auther.live.doctor.asking import FETCH
from migrator.auther.live.doctor.interface import (
    Finding,
    NoAnswerError,
    Provider,
    lacking,
    there,
    unsure,
)
from migrator.auther.live.doctor.question import Question
from migrator.auther.live.doctor.visit import OK

if TYPE_CHECKING:
    from migrator.auther.live.doctor.asking import Answer
    from migrator.auther.live.doctor.visit import Visit

# Where each capability answers; without its secret 401 when it is on, 404 when it is off.
CAPABILITIES = {
    "import": ("POST", "/migrator/users/count"),
    "verify": ("POST", "/migrator/verify"),
    "statistics": ("GET", "/migrator/statistics"),
    "events": ("GET", "/migrator/events"),
    "exchange": ("POST", "/migrator/exchange/ticket"),
    "logout": ("POST", "/migrator/logout"),
    "reset": ("POST", "/migrator/reset-ticket"),
    "client": ("POST", "/migrator/client/read"),
}
_UNAUTHORIZED, _SERVER_ERROR = 401, 500
# Why the capability for clients may refuse its own secret.
_NO_CLIENT = {
    403: "MIGRATOR_CLIENT_ID is not [auther] client_id",
    501: "the plugin has no option `database`, or Auther no oidcProvider",
}
# Of fewer a quarter would be the one that came before the work began.
_PINGS_ALONE, _PINGS_MOST, _PINGS_LEAST = 9, 20, 6
# better-auth's own scrypt computes on the main thread and lets others in every 10 ms.
_HELD_UP_S = 0.004


def settings(visit: Visit) -> dict[str, Any]:
    """Give what the plugin says about Auther, empty where we have no secret or it says nothing."""
    secret = visit.setting.capabilities.get("statistics")
    if not secret:
        return {}
    return visit.once("settings", lambda: _call(visit, "statistics", secret)).json


def capabilities_on(visit: Visit) -> list[str]:
    """Name the capabilities that are on.

    Raises:
        NoAnswerError: Auther does not answer.
    """
    return [name for name in CAPABILITIES if _call(visit, name).status == _UNAUTHORIZED]


def legacy_passwords(visit: Visit) -> Finding:
    """Whether Auther can verify what the import writes."""
    if version := settings(visit).get("version"):
        text = f"the plugin is there, version {version}"
        return there(text, "imported users sign in with their passwords", Provider.PLUGIN)
    if capabilities_on(visit):
        return there("its endpoints answer", "imported users can sign in", Provider.PLUGIN)
    if visit.setting.canary and visit.first_sign_in().status >= _SERVER_ERROR:
        return lacking(
            f"the canary's sign-in answers {visit.first_sign_in().status}",
            "Auther cannot read an imported password: migrator import plugin",
            Provider.PLUGIN,
            blocks=True,
        )
    return unsure(
        "no capability of the plugin is on, so it is not visible",
        "migrator import plugin; without it imported passwords answer 500",
        Provider.PLUGIN,
        blocks=True,
    )


def capabilities(visit: Visit) -> Finding:
    """What the migrator can do at this Auther."""
    on = capabilities_on(visit)
    if not on:
        todo = "set MIGRATOR_SECRET_STATISTICS and others in Auther's environment"
        return lacking("none is on", todo, Provider.PLUGIN)
    wrong = [name for name in on if _refuses(visit, name)]
    if wrong:
        todo = "give Auther and [plugin] the same secrets (migrator import plugin --env-file)"
        text = f"our secret is refused for {', '.join(wrong)}"
        return lacking(text, todo, Provider.PLUGIN)
    off = ", ".join(name for name in CAPABILITIES if name not in on) or "none"
    why = _NO_CLIENT.get(_client_status(visit, on))
    means = f"no client is written through it: {why}" if why else "each has its own secret"
    return there(f"on: {', '.join(on)}; off: {off}", means, Provider.PLUGIN)


def native_scrypt(visit: Visit) -> Finding:
    """Whether a sign-in holds all other requests up."""
    visit.session()
    alone = [_ping(visit) for _ in range(_PINGS_ALONE)]
    with ThreadPoolExecutor(1) as pool:
        signing_in = pool.submit(visit.sign_in, visit.canary())
        pings = [_ping(visit)]
        while not signing_in.done() and len(pings) < _PINGS_MOST:
            pings.append(_ping(visit))
        answer = signing_in.result()
    if answer.status != OK:
        raise NoAnswerError(f"the canary's second sign-in answered {answer.status} {answer.code}")
    visit.sign_out(answer.cookies)
    if len(pings) < _PINGS_LEAST:
        took = f"{answer.seconds * 1000:.0f} ms"
        raise NoAnswerError(f"only {len(pings)} requests fitted into a sign-in of {took}")
    # Before and after: what slowed Auther down meanwhile may be somebody else.
    alone += [_ping(visit) for _ in range(_PINGS_ALONE)]
    # A quarter of them, so that a busy machine does not pass for a busy thread.
    held_up = max(0.0, sorted(pings)[len(pings) // 4] - _steady(sorted(alone)))
    text = f"a sign-in took {answer.seconds * 1000:.0f} ms and held others up for {held_up * 1000:.0f} ms"
    if held_up < _HELD_UP_S:
        return there(text, "passwords are computed off the main thread", Provider.PLUGIN)
    return lacking(
        text, "about 4 sign-ins/s per core: let the plugin compute scrypt", Provider.PLUGIN
    )


def better_auth_version(visit: Visit) -> Finding:
    """better-auth does not tell its version over HTTP; the plugin may."""
    version = settings(visit).get("better_auth")
    if isinstance(version, str) and version:
        return there(version, "the plugin is tested with 1.3.32 and the newest")
    return unsure("better-auth does not tell it over HTTP", "look into Auther's package.json")


def _client_status(visit: Visit, on: list[str]) -> int:
    """Ask for the application's client where we may; 0 where we may not."""
    secret = visit.setting.capabilities.get("client")
    return _call(visit, "client", secret).status if secret and "client" in on else 0


def _call(visit: Visit, name: str, secret: str | None = None) -> Answer:
    method, path = CAPABILITIES[name]
    headers = FETCH | {"Authorization": f"Bearer {secret or 'no secret'}"}
    url = f"{visit.setting.api}{path}"
    if method == "GET":
        return visit.asker.ask("GET", url, headers=headers, query={"counts": "0"})
    return visit.asker.ask(
        "POST", url, headers=headers, json={"client_id": visit.setting.client_id}
    )


def _refuses(visit: Visit, name: str) -> bool:
    secret = visit.setting.capabilities.get(name)
    return bool(secret) and _call(visit, name, secret).status == _UNAUTHORIZED


def _steady(ordered: list[float]) -> float:
    """Give the median of waiting times that say something.

    Raises:
        NoAnswerError: They differ by as much as what is to be measured.
    """
    low, high = ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]
    if high - low > _HELD_UP_S:
        raise NoAnswerError(
            f"requests take {low * 1000:.0f} to {high * 1000:.0f} ms by themselves"
        )
    return median(ordered)


def _ping(visit: Visit) -> float:
    """Give the seconds that a request without any work takes."""
    return visit.asker.ask("GET", f"{visit.setting.api}/ok").seconds


QUESTIONS = {
    "legacy_passwords": Question(
        "imported passwords", legacy_passwords, Provider.PLUGIN, blocks=True
    ),
    "capabilities": Question("the plugin's capabilities", capabilities, Provider.PLUGIN),
    "native_scrypt": Question("passwords off the main thread", native_scrypt, Provider.PLUGIN),
    "better_auth_version": Question("version of better-auth", better_auth_version),
}
