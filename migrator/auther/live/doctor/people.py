"""What people need who are not imported, or have forgotten something: registration, reset, and no surprises."""

from __future__ import annotations

import re
import secrets
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
from migrator.auther.live.doctor.pages import find_page
from migrator.auther.live.doctor.plugin import settings
from migrator.auther.live.doctor.question import Question
from migrator.auther.live.doctor.visit import OK

if TYPE_CHECKING:
    from migrator.auther.live.doctor.asking import Answer
    from migrator.auther.live.doctor.visit import Visit

SIGN_UP_HEADER = "x-internal-signup-secret"
_REGISTER = re.compile(r"sign-?up|regist|create-account", re.IGNORECASE)
_FORGOT = re.compile(r"forg[eo]t|reset|recover", re.IGNORECASE)
_REGISTER_PATHS = ("/sign-up", "/signup", "/register")
_FORGOT_PATHS = ("/forgot-password", "/forget-password", "/reset-password")
_USUAL_PROVIDERS = ("google", "github", "facebook", "apple", "microsoft", "discord", "linkedin")
_BAD_REQUEST, _NOT_FOUND, _CLIENT_ERROR = 400, 404, 400


def sign_up(visit: Visit) -> Finding:
    """Where somebody registers who has no account yet."""
    setting = visit.setting
    if setting.sign_up_url:
        return _own_page(visit, "sign_up_url", setting.sign_up_url)
    api = _sign_up_api(visit)
    page = find_page(visit, _REGISTER, _REGISTER_PATHS)
    if page and page.has_form and "not enabled" not in api:
        return there(f"Auther's page {page.path}; {api}", "new users register at Auther")
    todo = "let the application's backend register people, and set [auther] sign_up_url"
    if page:
        return unsure(
            f"{page.path} has no form for everybody (invitations only?); {api}", todo, blocks=True
        )
    return lacking(f"no page for it; {api}", todo, Provider.APPLICATION, blocks=True)


def forgot_password(visit: Visit) -> Finding:
    """Where somebody gets a new password."""
    setting = visit.setting
    if setting.forgot_password_url:
        return _own_page(visit, "forgot_password_url", setting.forgot_password_url)
    if not _reset_api(visit):
        return lacking(
            "Auther sends no reset mails (sendResetPassword is not configured)",
            "configure it, or set [auther] forgot_password_url to the application's page",
            blocks=True,
        )
    page = find_page(visit, _FORGOT, _FORGOT_PATHS)
    if page and page.has_form:
        return there(f"Auther's page {page.path}; the API sends mails", "people reset at Auther")
    return lacking(
        "the API sends reset mails, but there is no page to ask for one",
        "let the application have one, and set [auther] forgot_password_url",
        Provider.APPLICATION,
        blocks=True,
    )


def no_linking(visit: Visit) -> Finding:
    """Whether a stranger's account elsewhere opens an imported user's account by its address."""
    known = settings(visit).get("links_accounts_by_email")
    seen = isinstance(known, bool)
    linked = known if seen else visit.setting.accounts_linked
    by = "the plugin reads it there" if seen else "[auther] links_accounts"
    if linked is False:
        return there(f"off ({by})", "an imported account opens with its own credentials only")
    offered = _offered(visit)
    if not offered:
        return there("Auther offers no social provider", "so there is nothing to link by e-mail")
    todo = "set account.accountLinking.enabled = false in Auther's configuration"
    names = ", ".join(offered)
    if linked:
        return lacking(f"{names}: Auther links by e-mail ({by})", todo, blocks=True)
    return unsure(
        f"Auther offers {names}; whether it links by e-mail is not visible",
        f"{todo}, then [auther] links_accounts = false",
        blocks=True,
    )


def new_user(visit: Visit) -> Finding:
    """Really register somebody: only asked for with --with-sign-up."""
    name, _, domain = visit.canary().email.partition("@")
    email = f"{name}+doctor-{secrets.token_hex(4)}@{domain}"
    answer = _post_sign_up(visit, email)
    user = answer.json.get("user")
    if answer.status != OK or not isinstance(user, dict):
        raise NoAnswerError(f"sign-up answered {answer.status} {answer.code}".strip())
    removed = visit.remove_user(str(user.get("id", "")))
    rest = "and was removed again" if removed else f"and is still there: user {user.get('id')}"
    return there(f"a test user was registered {rest}", "Auther's API takes new users")


def _own_page(visit: Visit, key: str, url: str) -> Finding:
    try:
        status = visit.asker.ask("GET", url).status
    except NoAnswerError:
        # The application may be out of reach from where the operator sits.
        text = f"[auther] {key} names the application's page (not reached from here)"
        return there(text, "the application provides it", Provider.APPLICATION)
    if status >= _CLIENT_ERROR:
        return lacking(
            f"[auther] {key} answers {status}", f"mend {key}", Provider.APPLICATION, blocks=True
        )
    return there(
        f"[auther] {key}: the application's page answers {status}",
        "the application provides it",
        Provider.APPLICATION,
    )


def _sign_up_api(visit: Visit) -> str:
    """Say how the API takes an address that cannot be one: nobody is registered by that."""
    answer = _post_sign_up(visit, "not-an-address")
    if answer.code == "INVALID_EMAIL":
        return "the API takes sign-ups" + (
            " with the secret" if visit.setting.sign_up_secret else ""
        )
    if answer.status == _BAD_REQUEST and "NOT_ENABLED" in answer.code:
        return "sign-up is not enabled"
    if answer.status == _NOT_FOUND:
        return "there is no sign-up (404)"
    return f"the API asks for {SIGN_UP_HEADER} ({answer.status})"


def _post_sign_up(visit: Visit, email: str) -> Answer:
    secret = visit.setting.sign_up_secret
    headers = FETCH | ({SIGN_UP_HEADER: secret} if secret else {})
    body = {"email": email, "password": secrets.token_urlsafe(24), "name": "Migrator Doctor"}
    return visit.asker.ask(
        "POST", f"{visit.setting.api}/sign-up/email", headers=headers, json=body
    )


def _reset_api(visit: Visit) -> bool:
    """Ask for a mail to an address that nobody can have."""
    answer = _ask_for_reset(visit, "/request-password-reset")
    if answer.status == _NOT_FOUND:
        answer = _ask_for_reset(visit, "/forget-password")
    if answer.status not in {OK, _BAD_REQUEST, _NOT_FOUND}:
        raise NoAnswerError(f"the request for a reset mail answered {answer.status}")
    return answer.status == OK


def _ask_for_reset(visit: Visit, path: str) -> Answer:
    body = {"email": f"nobody-{secrets.token_hex(8)}@example.invalid"}
    return visit.asker.ask("POST", f"{visit.setting.api}{path}", headers=FETCH, json=body)


def _offered(visit: Visit) -> list[str]:
    """Name the social providers that Auther offers: by the plugin's word, else by asking for each."""
    named = settings(visit).get("social_providers")
    return list(map(str, named)) if isinstance(named, list) else _providers(visit)


def _providers(visit: Visit) -> list[str]:
    """Name the social providers that Auther offers; each of them leaves a row that lives 10 minutes."""
    cookies, offered = visit.session(), []
    for name in dict.fromkeys((*visit.setting.providers, *_USUAL_PROVIDERS)):
        answer = visit.asker.ask(
            "POST",
            f"{visit.setting.api}/link-social",
            headers=FETCH,
            cookies=cookies,
            json={"provider": name, "callbackURL": visit.setting.base_url},
        )
        if answer.status == OK:
            offered.append(name)
        elif answer.status not in {_BAD_REQUEST, _NOT_FOUND}:
            raise NoAnswerError(f"asked for provider {name}, Auther answered {answer.status}")
    return offered


QUESTIONS = {
    "sign_up": Question("registration of new users", sign_up, blocks=True),
    "forgot_password": Question("forgotten passwords", forgot_password, blocks=True),
    "no_linking": Question("no linking of accounts by e-mail", no_linking, blocks=True),
}
SIGN_UP_QUESTIONS = {"new_user": Question("a real sign-up", new_user)}
