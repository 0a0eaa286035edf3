"""What stands in the tokens, in the units in which it stands there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migrator.auther.live.doctor.interface import (
    Finding,
    NoAnswerError,
    Provider,
    lacking,
    there,
)
from migrator.auther.live.doctor.question import Question
from migrator.auther.live.doctor.tokens import is_signed_by, read_token
from migrator.auther.live.doctor.visit import OK
from migrator.core.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.auther.live.doctor.visit import Visit

# Seconds reach this in the year 5138; what is greater counts milliseconds.
MILLISECONDS_FROM = 1e11
_PERMISSIONS = "permissions"


def id_token(visit: Visit) -> Finding:
    """The only JWT of a login: verified as a shim does."""
    tokens = visit.tokens()
    wrong = _faults(visit)
    if wrong:
        return lacking(
            "; ".join(wrong), "shims would refuse it: mend [auther] or Auther", blocks=True
        )
    about = f"{tokens.id_token.algorithm}, {len(tokens.text):,} bytes, sub, aud, iss, nonce right"
    return there(about, "the application's bearer; shims keep it on the server above 3,500 bytes")


def iat_unit(visit: Visit) -> Finding:
    """Seconds by the standard; better-auth 1.3 writes milliseconds."""
    iat = visit.tokens().id_token.claims.get("iat")
    if not isinstance(iat, (int, float)):
        return lacking(
            "the id_token has no iat", "revocation by time is not possible", blocks=True
        )
    if iat > MILLISECONDS_FROM:
        return there(
            "milliseconds",
            "the shims divide; other libraries refuse it: legacyPasswords({ iatInSeconds: true })",
            Provider.APPLICATION,
        )
    return there("seconds", "as the standard says")


def id_token_lifetime(visit: Visit) -> Finding:
    """How long a token stays good, whatever happens to its user."""
    claims = visit.tokens().id_token.claims
    iat, exp = _seconds(claims, "iat"), _seconds(claims, "exp")
    lasts = format_duration(timedelta(seconds=round(exp - iat, -1)))
    return there(
        lasts,
        "after it a new code flow is needed; legacyPasswords({ idTokenSeconds }) shortens it",
    )


def permissions(visit: Visit) -> Finding:
    """The claim that the guide promises; none is not the same as an empty one."""
    claims = visit.tokens().id_token.claims
    if _PERMISSIONS not in claims:
        return lacking(
            "the id_token has no claim permissions",
            "the application decides itself (Identity-Only), or legacyPasswords({ permissionsClaim })",
            Provider.APPLICATION,
        )
    count = len(claims[_PERMISSIONS]) if isinstance(claims[_PERMISSIONS], (dict, list)) else 0
    return there(f"there, {count} entries", "an empty one means: nothing is permitted")


def renewal(visit: Visit) -> Finding:
    """What the refresh grant brings, and how often."""
    token = visit.tokens(offline=True).refresh_token
    means = "the shims renew by a new code flow while Auther's session lives"
    if not token:
        found = "no refresh token for the scope offline_access"
        return lacking(found, means, Provider.APPLICATION)
    answer = visit.refresh(token)
    if answer.status != OK:
        found = f"the refresh grant answers {answer.status}"
        return lacking(found, means, Provider.APPLICATION)
    often = "more than once" if visit.refresh(token).status == OK else "once"
    if not answer.json.get("id_token"):
        found = f"the refresh grant returns no id_token; a refresh token is good {often}"
        return lacking(found, means, Provider.APPLICATION)
    found = f"the refresh grant returns an id_token; a refresh token is good {often}"
    return there(found, f"{means} all the same: a refresh token may outlive a ban")


def bearer(visit: Visit) -> Finding:
    """Whether Auther's API takes the token as a bearer."""
    headers = {"Authorization": f"Bearer {visit.tokens().text}"}
    answer = visit.asker.ask("GET", f"{visit.setting.api}/get-session", headers=headers)
    if answer.status == OK and answer.json.get("user"):
        return there("get-session takes the id_token as a bearer", "as the guide says")
    return lacking(
        "get-session does not take a bearer",
        "shims verify tokens themselves and ask Auther nothing",
        Provider.APPLICATION,
    )


def session_jwt(visit: Visit) -> Finding:
    """The header `set-auth-jwt`, with other audiences and the whole user row."""
    cookies = visit.session()
    answer = visit.asker.ask("GET", f"{visit.setting.api}/get-session", cookies=cookies)
    header = answer.headers.get("set-auth-jwt")
    if not header:
        return lacking("get-session sends no set-auth-jwt", "nothing here needs it")
    claims = read_token(header).claims
    unit = "milliseconds" if _seconds_as_sent(claims) > MILLISECONDS_FROM else "seconds"
    return there(
        f"for {claims.get('aud')}, iat in {unit}, claims: {len(claims)}",
        "not an audience of the application: the shims refuse it unless it is listed",
    )


def _faults(visit: Visit) -> list[str]:
    tokens, setting = visit.tokens(), visit.setting
    claims = tokens.id_token.claims
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    checks = {
        "no published Ed25519 key made its signature": is_signed_by(
            tokens.id_token, visit.key_set()
        ),
        f"iss {claims.get('iss')} is not in [auther] issuers": claims.get("iss")
        in setting.issuers,
        f"aud {audience} is not in [auther] audiences": bool(
            set(map(str, audiences)) & set(setting.audiences)
        ),
        "it carries another nonce": claims.get("nonce") == tokens.nonce,
        "it has no sub": bool(claims.get("sub")),
        "it has expired already": _seconds(claims, "exp") > visit.clock.now().timestamp(),
    }
    return [fault for fault, passed in checks.items() if not passed]


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, (int, float)):
        raise NoAnswerError(f"the id_token has no {name}")
    return value / 1000 if value > MILLISECONDS_FROM else float(value)


def _seconds_as_sent(claims: Mapping[str, Any]) -> float:
    value = claims.get("iat")
    return float(value) if isinstance(value, (int, float)) else 0.0


QUESTIONS = {
    "id_token": Question("the id_token, verified", id_token, blocks=True),
    "iat_unit": Question("unit of iat", iat_unit),
    "id_token_lifetime": Question("lifetime of the id_token", id_token_lifetime),
    "permissions": Question("claim permissions", permissions),
    "renewal": Question("refresh tokens", renewal),
    "bearer": Question("bearer at Auther's own API", bearer),
    "session_jwt": Question("header set-auth-jwt", session_jwt),
}
