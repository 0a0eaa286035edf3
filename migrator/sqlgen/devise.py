"""Which columns of `users` Devise and its extensions brought: the rest is the application's own."""

from __future__ import annotations

SECOND_FACTORS = (
    "encrypted_otp_secret",
    "encrypted_otp_secret_iv",
    "encrypted_otp_secret_salt",
    "otp_secret",
    "otp_backup_codes",
    "consumed_timestep",
    "otp_required_for_login",
)

# What Auther has no place for, by the word that acknowledges its end.
LOST = {
    "lockout": frozenset({"failed_attempts", "unlock_token", "locked_at"}),
    "second_factors": frozenset(SECOND_FACTORS),
}

# Devise 4.8 and devise-two-factor 4 and 5, in the order of their generators.
COLUMNS = (
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
    "failed_attempts",
    "unlock_token",
    "locked_at",
    *SECOND_FACTORS,
)


def present(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Give those of a table's columns that are Devise's, in the table's order."""
    return tuple(name for name in columns if name in COLUMNS)
