"""Rails: what Devise 4.8 and devise-two-factor 4 and 5 brought."""

from __future__ import annotations

from migrator.sqlgen.usual.interface import Code, Loss, Usual

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
    losses={
        Loss.LOCKOUT: frozenset(_LOCKOUT),
        Loss.SECOND_FACTORS: frozenset(_SECOND_FACTOR),
    },
    code=Code(
        explicit="  self.ignored_columns += [{columns}]",
        language="ruby",
        first=(
            (
                "`devise …` in the model: every module whose columns go (database_authenticatable, recoverable, "
                "rememberable, trackable, confirmable, lockable, validatable, two_factor_authenticatable)"
            ),
            "`devise_for` in config/routes.rb: `skip: :all`, or the whole line where nobody links to it",
            "own controllers and views below Devise's, mailers of confirmation, unlock and password reset",
            "`belongs_to` and `has_many` of tables that go, seeds, factories, rake tasks, admin pages, exports",
        ),
        last=(
            (
                "gems: devise-two-factor, devise-encryptable and other extensions; devise itself once no shim and no "
                "route uses Warden any more"
            ),
            "config/initializers/devise.rb",
            (
                "DEVISE_PEPPER and the key of second factors, in every environment, when the archive goes and not before: "
                "whoever brings the columns back needs them"
            ),
        ),
    ),
)
