"""Rails: what Devise 4.8 and devise-two-factor 4 and 5 brought."""

from __future__ import annotations

from migrator.sqlgen.usual.interface import Loss, Usual

_SECOND_FACTOR = (
    "encrypted_otp_secret",
    "encrypted_otp_secret_iv",
    "encrypted_otp_secret_salt",
    "otp_secret",
    "otp_backup_codes",
    "consumed_timestep",
    "otp_required_for_login",
)
_LOCKOUT = ("failed_attempts", "unlock_token", "locked_at")

# In the order of the generators.
DEVISE = Usual(
    columns=(
        "encrypted_password",
        "password_salt",
        "reset_password_token",
        "reset_password_sent_at",
        "remember_created_at",
        "remember_token",
        "sign_in_count",
        "current_sign_in_at",
        "last_sign_in_at",
        "current_sign_in_ip",
        "last_sign_in_ip",
        "confirmation_token",
        "confirmed_at",
        "confirmation_sent_at",
        "unconfirmed_email",
        *_LOCKOUT,
        *_SECOND_FACTOR,
    ),
    secrets=frozenset(
        {
            "encrypted_password",
            "password_salt",
            "encrypted_otp_secret",
            "encrypted_otp_secret_iv",
            "encrypted_otp_secret_salt",
            "otp_secret",
            "otp_backup_codes",
        }
    ),
    losses={
        Loss.LOCKOUT: frozenset(_LOCKOUT),
        Loss.SECOND_FACTOR: frozenset(_SECOND_FACTOR),
    },
)
