"""What the application's own code asks for before the switch moves and before anything is removed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, get_args

from migrator.application.interface import Sign
from migrator.config.sessions import StoreName
from migrator.core.durations import format_duration
from migrator.runner.readiness.reason import Reason, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrator.application.interface import Place
    from migrator.config.model import Config
    from migrator.runner.readiness.findings import Findings

_SHOWN = 3
# Others may be in a store that another library reads: not every kind is one of ours.
_TOLD = frozenset(get_args(StoreName)) - {"sql", "redis", "none"}
_RUBY_DURATION = re.compile(
    r"^(?P<count>\d+)\.(?P<unit>second|minute|hour|day|week|month|year)s?$"
)
_UNIT_S = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 7 * 86_400,
    # As Active Support counts them.
    "month": 2_629_746,
    "year": 31_556_952,
}
_SAID = {
    Sign.BYPASSES_HOOKS: (
        "bypasses_hooks",
        "signs in past the hooks, where stages close nothing",
        "right only after a password change of somebody who is signed in; elsewhere replace it",
    ),
    Sign.OWN_SESSION_KEY: (
        "own_session_key",
        "keeps who is signed in under a key of its own in the session",
        "let it ask the framework who is signed in: the shim does not know this key",
    ),
    Sign.CHECKS_PASSWORD: (
        "checks_password",
        "asks for the current password by itself",
        "for users at home at Auther lead to Auther: their legacy hash may be out of date",
    ),
    Sign.HOOKS: (
        "sign_in_hooks",
        "hooks into sign-ins",
        "look at each: they do not run when Auther's credential decides (no sign-in happens here)",
    ),
    Sign.STRATEGIES: (
        "own_strategies",
        "has strategies or backends of its own",
        "see that none lets in whom the shim has accepted nobody for",
    ),
    Sign.HTTP_BASIC: (
        "http_basic",
        "accepts HTTP Basic",
        "it passes the shim untouched, is counted, and ends with the legacy side",
    ),
    Sign.USERS_IN_SQL: (
        "users_in_sql",
        "names the users table in SQL",
        "before the removal: none of it may name a legacy column, nor SELECT *",
    ),
    Sign.LEGACY_COLUMNS: (
        "reads_legacy_columns",
        "uses columns that the removal takes away",
        "before the removal: let the code do without them",
    ),
}


def _of_signs(found: Findings, config: Config) -> Iterator[Reason]:  # noqa: ARG001 (rules are alike)
    if found.application is None:
        return
    for sign, (code, said, todo) in _SAID.items():
        places = found.application.places(sign)
        if places:
            yield Reason(code, f"the application {said}: {_shown(places)}", todo)


def _foreign_bearers(found: Findings, config: Config) -> Iterator[Reason]:
    app = found.application
    places = app.places(Sign.FOREIGN_BEARERS) if app else ()
    if places and not config.shim.foreign_bearer:
        yield Reason(
            "foreign_bearers",
            f"the application knows bearers that are not Auther's: {_shown(places)}",
            'set [shim] foreign_bearer to the path prefixes that take them, or to "refuse": before'
            " that the stage does not move to dual",
        )


def _models(found: Findings, config: Config) -> Iterator[Reason]:
    app = found.application
    if app is None:
        return
    others = [model for model in app.models if model != config.legacy.model]
    if others:
        yield Reason(
            "other_models",
            f"people sign in as {', '.join(others)} too, and this migration is about {config.legacy.model}",
            "each model is a migration of its own, with a name and a migrator.toml of its own",
        )
    if app.models and config.legacy.model not in app.models:
        yield Reason(
            "model_unknown",
            f"no model {config.legacy.model} calls devise; there are: {', '.join(app.models)}",
            "set [legacy] model in migrator.toml",
        )


def _ignored_columns(found: Findings, config: Config) -> Iterator[Reason]:
    app = found.application
    # Elsewhere the columns are taken out of the model itself, as the removal's plan says.
    if app is None or app.framework != "rails":
        return
    if config.legacy.model not in app.ignores_columns:
        yield Reason(
            "ignored_columns_missing",
            f"{config.legacy.model} names no ignored_columns",
            "before the removal: self.ignored_columns with the columns that go, on every instance",
        )


def _session_store(found: Findings, config: Config) -> Iterator[Reason]:
    app = found.application
    if app is None:
        return
    store, configured = app.session_store, config.legacy.session_store
    # Rails keeps sessions in a cookie unless it is told otherwise.
    kind = store.kind or ("cookie" if app.framework == "rails" else "")
    if kind in _TOLD and configured != kind:
        yield Reason(
            "session_store_differs",
            f'the code keeps sessions in "{kind}", [legacy] session_store says "{configured}"',
            f'set session_store = "{kind}" in migrator.toml, or say why not in its comment',
        )
    ttl = store.ttl or ruby_duration(store.expires)
    yield from _time("session_ttl", store.expires, ttl, config.legacy.session_ttl, "legacy")


def _times(found: Findings, config: Config) -> Iterator[Reason]:
    settings = found.application.settings if found.application else {}
    for name, configured, section in (
        ("remember_for", config.legacy.remember_for, "legacy"),
        ("unlock_in", config.import_.unlock_in, "import"),
    ):
        written = settings.get(name, "")
        yield from _time(name, written, ruby_duration(written), configured, section)


def _time(
    name: str,
    written: str,
    in_code: timedelta | None,
    configured: timedelta | None,
    section: str,
) -> Iterator[Reason]:
    if in_code is not None and in_code != configured:
        says = "never" if configured is None else format_duration(configured)
        yield Reason(
            f"{name}_differs",
            f"the code says {written}, [{section}] {name} says {says}",
            f"set {name} under [{section}] in migrator.toml to what is true in production",
        )


def _unread(found: Findings, config: Config) -> Iterator[Reason]:  # noqa: ARG001 (rules are alike)
    unread = found.application.unread if found.application else {}
    if unread:
        names = ", ".join(list(unread)[:_SHOWN])
        yield Reason(
            "code_unread",
            f"{len(unread)} files of the application could not be read: {names}",
            "look at them yourself: nothing is known about what they do",
        )


def _doors(found: Findings, config: Config) -> Iterator[Reason]:  # noqa: ARG001 (rules are alike)
    app = found.application
    # Devise brings its doors along.
    if app is not None and app.framework != "rails" and not app.places(Sign.SIGNS_IN):
        yield Reason(
            "doors_unknown",
            "nothing was recognised in the application that signs anybody in",
            "sessions that are made in a way of your own are not recognised: list these places yourself",
        )


APPLICATION_WARNINGS: tuple[Rule, ...] = (
    _foreign_bearers,
    _models,
    _doors,
    _of_signs,
    _ignored_columns,
    _session_store,
    _times,
    _unread,
)


def ruby_duration(text: str) -> timedelta | None:
    """Read `2.weeks`; None for anything that is no constant duration."""
    found = _RUBY_DURATION.match(text)
    return timedelta(seconds=int(found["count"]) * _UNIT_S[found["unit"]]) if found else None


def _shown(places: Sequence[Place]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(map(str, places[:_SHOWN])) + more
