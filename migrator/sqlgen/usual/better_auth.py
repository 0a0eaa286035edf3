"""An application's own better-auth: its tables go, the table `user` stays.

Its `session` holds sign-ins and nothing else; where it is configured as the application's session table it stays all the
same. Names are those of better-auth's schema; tables that were renamed have to be listed.
"""

from __future__ import annotations

from migrator.sqlgen.usual.interface import Loss, Usual

_FLAGS = ("twoFactorEnabled", "two_factor_enabled")

BETTER_AUTH = Usual(
    columns=_FLAGS,
    tables=("account", "session", "verification", "twoFactor", "two_factor", "passkey"),
    secrets=frozenset(),
    losses={
        Loss.SECOND_FACTOR: frozenset({*_FLAGS, "twoFactor", "two_factor", "passkey"}),
    },
)
