"""Laravel: what its starter kits and Fortify keep of a sign-in.

`email_verified_at` stays, which the middleware `verified` reads, like personal_access_tokens, which are credentials of
machines. The table of sessions stays in any case.
"""

from __future__ import annotations

from migrator.sqlgen.usual.interface import Loss, Usual

_SECOND_FACTOR = ("two_factor_secret", "two_factor_recovery_codes", "two_factor_confirmed_at")

LARAVEL = Usual(
    columns=("password", "remember_token", *_SECOND_FACTOR),
    tables=("password_reset_tokens", "password_resets"),
    secrets=frozenset({"password", "two_factor_secret", "two_factor_recovery_codes"}),
    losses={Loss.SECOND_FACTOR: frozenset(_SECOND_FACTOR)},
)
