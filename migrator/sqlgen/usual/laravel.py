"""Laravel: what its starter kits and Fortify keep of a sign-in.

`email_verified_at` stays, which the middleware `verified` reads, like personal_access_tokens, which are credentials of
machines. The table of sessions stays in any case.
"""

from __future__ import annotations

from migrator.sqlgen.usual.interface import Code, Loss, Usual

_SECOND_FACTOR = ("two_factor_secret", "two_factor_recovery_codes", "two_factor_confirmed_at")

LARAVEL = Usual(
    columns=("password", "remember_token", *_SECOND_FACTOR),
    tables=("password_reset_tokens", "password_resets"),
    losses={Loss.SECOND_FACTORS: frozenset(_SECOND_FACTOR)},
    code=Code(
        explicit="    protected $hidden = [{columns}];\n    // and none of them in $fillable, $casts, select() or factories",
        language="php",
        first=(
            "routes/auth.php, or Fortify::… in a service provider: login, register, password, two-factor",
            "controllers, requests and views of the starter kit below app/Http/Controllers/Auth and resources/views/auth",
            "`Auth::attempt`, `Hash::make`, `Hash::check`, `Password::broker` in own code; the middleware `password.confirm`",
        ),
        last=(
            "config/auth.php: `passwords`, and the providers that nothing uses",
            "packages: laravel/fortify, laravel/breeze, laravel/ui, as far as nothing else needs them",
            "APP_KEY stays: cookies and sessions are encrypted with it",
        ),
    ),
)
