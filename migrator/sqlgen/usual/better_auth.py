"""An application's own better-auth: its tables go, the table `user` stays.

Its `session` holds sign-ins and nothing else; where it is configured as the application's session table it stays all the
same. Names are those of better-auth's schema; tables that were renamed have to be listed.
"""

from __future__ import annotations

from migrator.sqlgen.usual.interface import Code, Loss, Usual

_FLAGS = ("twoFactorEnabled", "two_factor_enabled")

BETTER_AUTH = Usual(
    columns=_FLAGS,
    tables=("account", "session", "verification", "twoFactor", "two_factor", "passkey"),
    code=Code(
        explicit="// select() with the fields that stay; nothing of: {columns}",
        language="ts",
        first=(
            "the route handler (`toNextJsHandler`, `toNodeHandler`, app/api/auth/[...all])",
            "`createAuthClient` with its calls, `auth.api.getSession` in pages and middleware",
            "models of account, session, verification in the schema of Drizzle or Prisma, without a migration of theirs",
        ),
        last=(
            "packages: better-auth and its plugins",
            "BETTER_AUTH_SECRET and the secrets of social providers, in every environment",
        ),
    ),
    losses={
        Loss.SECOND_FACTORS: frozenset({*_FLAGS, "twoFactor", "two_factor", "passkey"}),
    },
)
