"""What the configuration says about the deployment under test, and what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.conformance.bench import Site
from migrator.conformance.interface import Need
from migrator.core.errors import UsageError
from migrator.runner import stages

if TYPE_CHECKING:
    from migrator.config.model import Config
    from migrator.config.secrets import SecretRef
    from migrator.runner.context import Context


def describe(ctx: Context, *, real_auther: bool = False) -> Site:
    """Describe the deployment.

    Raises:
        UsageError: `whoami`, the redirect URI, the client id or the metrics token is missing.
    """
    config = ctx.config
    needed = {
        "[verify] whoami": config.verify.whoami,
        "[shim] redirect_uri": config.shim.redirect_uri,
        "[auther] client_id": config.auther.client_id,
        "[drain] metrics_token": _secret(ctx, config.drain.metrics_token),
    }
    empty = [name for name, value in needed.items() if not value]
    if empty:
        raise UsageError(
            f"the suite cannot do without {', '.join(empty)}", hint="set it in migrator.toml"
        )
    control = _secret(ctx, config.drain.control_secret)
    return Site(
        client_id=config.auther.client_id,
        redirect_uri=config.shim.redirect_uri,
        after_login=config.shim.after_login,
        salt=stages.salt(ctx),
        metrics_token=needed["[drain] metrics_token"],
        control_secret=control,
        missing=_missing(ctx, has_control=bool(control), real_auther=real_auther),
    )


def _missing(ctx: Context, *, has_control: bool, real_auther: bool) -> frozenset[Need]:
    profile, shim = ctx.config.verify, ctx.config.shim
    form = profile.form
    lacks = {
        Need.TEST_ISSUER: real_auther,
        Need.CONTROL: not has_control,
        Need.FORM: form is None,
        Need.REMEMBER_ME: form is None or not form.remember_me,
        Need.LOGOUT: profile.logout is None,
        Need.JSON_LOGIN: profile.json_login is None,
        Need.POST: profile.post is None,
        Need.BUTTON: profile.button is None,
        Need.COHORT: profile.button is None or not profile.button.cohort,
        Need.FOREIGN_PATH: not profile.foreign_whoami,
        Need.FOREIGN_REFUSED: _hands_over(ctx.config, profile.whoami),
        Need.JIT: not shim.create_users,
        Need.EXCHANGE: not profile.exchange,
        Need.NO_EXCHANGE_IN_DUAL: shim.exchange_in_dual,
        Need.MOVED_LOGINS: not profile.moved_logins,
        Need.ENDS_AUTHER: not profile.ends_auther_session,
        Need.JSON_DOORS_CLOSED: shim.json_doors_until is not None
        and shim.json_doors_until > ctx.clock.now(),
    }
    return frozenset(need for need, is_lacking in lacks.items() if is_lacking)


def _hands_over(config: Config, path: str) -> bool:
    prefixes = config.shim.foreign_bearer
    return not isinstance(prefixes, str) and path.startswith(prefixes)


def _secret(ctx: Context, reference: SecretRef | None) -> str:
    """Give a secret, '' where none is configured or set."""
    if reference is None:
        return ""
    try:
        return ctx.reveal(reference)
    except UsageError:
        return ""
