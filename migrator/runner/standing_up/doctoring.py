"""Runs the doctor at the configured Auther and keeps what it found."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from migrator.auther.live.doctor.asking import Asker
from migrator.auther.live.doctor.interface import Account, Finding, NoAnswerError, Setting, State
from migrator.auther.live.doctor.plugin import CAPABILITIES
from migrator.auther.live.doctor.registry import QUESTIONS, blocking, examine
from migrator.auther.live.doctor.visit import Visit
from migrator.auther.live.probe import is_encrypted
from migrator.core.clock import iso
from migrator.core.errors import ExitCode, UsageError
from migrator.runner.standing_up.database import has_account_index, remove_user
from migrator.runner.writing_back import ringing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.config.secrets import SecretRef
    from migrator.runner.canaries import Canary
    from migrator.runner.context import Context

SUBJECT, DOCTOR = "auther", "doctor"


@dataclass(frozen=True)
class Diagnosis:
    """What one visit found.

    Attributes:
        at: ISO 8601 UTC.
        findings: By question, in the order in which they were asked.
    """

    base_url: str
    at: str
    findings: Mapping[str, Finding]

    @property
    def missing(self) -> list[str]:
        """What makes the cutover impossible."""
        return blocking(self.findings, State.MISSING)

    @property
    def unknown(self) -> list[str]:
        """What nobody knows and the cutover depends on."""
        return blocking(self.findings, State.UNKNOWN)

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with."""
        if self.missing:
            return ExitCode.REFUSED
        return ExitCode.HELD if self.unknown else ExitCode.DONE


def diagnose(
    ctx: Context, *, canary: Canary | None = None, with_sign_up: bool = False
) -> Diagnosis:
    """Visit Auther; the ledger and a checkpoint keep what was found.

    Writes nothing at Auther but what any visitor leaves (a session that is ended, codes that expire),
    unless `with_sign_up` asks for a test user. Interrupted, the ledger holds an intent; run it again.

    Args:
        ctx: The surroundings.
        canary: An account at Auther; by default the one of [auther.doctor].
        with_sign_up: Really register a user, and remove it again where the database is at hand.

    Raises:
        UsageError: There is no base_url, or a secret that is configured is missing.
    """
    setting = make_setting(ctx, canary=canary, with_sign_up=with_sign_up)
    with ctx.state.ledger.recorded(SUBJECT, DOCTOR, base_url=setting.base_url) as facts:
        found = _visit(ctx, setting)
        made = Diagnosis(setting.base_url, iso(ctx.clock.now()), found)
        facts |= {
            "base_url": made.base_url,
            "states": {code: str(one.state) for code, one in found.items()},
            "missing": made.missing,
            "unknown": made.unknown,
        }
    ctx.state.checkpoints.put(SUBJECT, DOCTOR, asdict(made))
    return made


def make_setting(
    ctx: Context, *, canary: Canary | None = None, with_sign_up: bool = False
) -> Setting:
    """Take what the doctor needs from the configuration.

    Raises:
        UsageError: There is no base_url, or a secret that is configured is missing.
    """
    auther = ctx.config.auther
    if not auther.base_url:
        raise UsageError("[auther] base_url is not set", hint="set it to Auther's public address")
    secret = is_private(auther.base_url)
    return Setting(
        base_url=auther.base_url,
        api=auther.api,
        client_id=auther.client_id,
        redirect_uri=ctx.config.shim.redirect_uri,
        issuers=auther.issuers,
        audiences=auther.audiences,
        canary=Account(canary.email, canary.password) if canary else configured_canary(ctx),
        api_key=_revealed(ctx, auther.doctor.api_key) if secret else None,
        sign_up_secret=_revealed(ctx, auther.sign_up_secret) if secret else None,
        capabilities=_secrets_at_hand(ctx) if secret else {},
        sign_up_url=auther.sign_up_url,
        forgot_password_url=auther.forgot_password_url,
        accounts_linked=auther.links_accounts,
        providers=tuple(dict.fromkeys(ctx.config.import_.providers.values())),
        account_index=has_account_index(ctx),
        deliveries=ringing.describe(ctx),
        with_sign_up=with_sign_up,
    )


def is_private(base_url: str) -> bool:
    """Tell whether secrets may be sent to an address.

    Raises:
        UsageError: It is no address.
    """
    try:
        return is_encrypted(base_url)
    except ValueError as error:
        raise UsageError(
            f"[auther] base_url: {base_url} is no address", hint="mend base_url"
        ) from error


def configured_canary(ctx: Context) -> Account | None:
    """Give the canary of [auther.doctor].

    Raises:
        UsageError: Its address or password is configured and missing.
    """
    doctor = ctx.config.auther.doctor
    if doctor.email is None or doctor.password is None:
        return None
    return Account(ctx.reveal(doctor.email), ctx.reveal(doctor.password))


def plugin_secret(ctx: Context, capability: str) -> str | None:
    """Give the secret of one of the plugin's capabilities; None where we have none."""
    reference: SecretRef = getattr(ctx.config.plugin, f"{capability}_secret")
    try:
        return ctx.reveal(reference)
    except UsageError:
        return None


def _visit(ctx: Context, setting: Setting) -> dict[str, Finding]:
    with (
        closing(Asker(setting.base_url)) as asker,
        ctx.progress.task("asking Auther", total=len(QUESTIONS)) as task,
    ):
        visit = Visit(setting, asker, ctx.clock, remove_user=partial(remove_user, ctx))
        try:
            return examine(visit, advance=lambda _what: task.advance(1))
        finally:
            _leave(visit)


def _leave(visit: Visit) -> None:
    try:
        visit.leave()
    except NoAnswerError:
        return


def _revealed(ctx: Context, secret: SecretRef | None) -> str | None:
    return None if secret is None else ctx.reveal(secret)


def _secrets_at_hand(ctx: Context) -> dict[str, str]:
    found = {name: plugin_secret(ctx, name) for name in CAPABILITIES}
    return {name: secret for name, secret in found.items() if secret}
