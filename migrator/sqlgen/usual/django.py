"""Django: what django.contrib.auth keeps of a sign-in.

Groups, permissions, the three flags and the names stay: they are about what somebody may do and is called, which the
application goes on deciding. So do auth_group, auth_permission, auth_user_groups, auth_user_user_permissions,
django_admin_log, and django_session, which holds more than sign-ins.
"""

from __future__ import annotations

from migrator.sqlgen.usual.interface import Code, Loss, Usual

DJANGO = Usual(
    columns=("password", "last_login"),
    # Tables of django-axes, django-otp, django-two-factor-auth and allauth: only when they are listed.
    losses={
        Loss.LOCKOUT: frozenset(
            {
                "axes_accessattempt",
                "axes_accessfailurelog",
                "axes_accesslog",
                "axes_accessattemptexpiration",
            }
        ),
        Loss.SECOND_FACTORS: frozenset(
            {
                "otp_totp_totpdevice",
                "otp_hotp_hotpdevice",
                "otp_email_emaildevice",
                "otp_static_staticdevice",
                "otp_static_statictoken",
                "two_factor_phonedevice",
                "mfa_authenticator",
            }
        ),
    },
    code=Code(
        explicit="    password = None\n    last_login = None",
        language="python",
        first=(
            (
                "the class behind AUTH_USER_MODEL says it above, with a migration that tells Django's state only "
                "(`SeparateDatabaseAndState`): the database is this plan's"
            ),
            "AUTHENTICATION_BACKENDS: without django.contrib.auth.backends.ModelBackend's check of passwords",
            "`django.contrib.auth.urls`, LoginView and the views of password change and reset in urls.py, with their templates",
            "the admin's password form (`UserAdmin.add_form`, `change_password_form`), `createsuperuser`, fixtures",
        ),
        last=(
            "PASSWORD_HASHERS and AUTH_PASSWORD_VALIDATORS in the settings",
            "packages: argon2-cffi, bcrypt, django-axes, django-otp, django-allauth, as far as nothing else needs them",
        ),
    ),
    notes=(
        (
            "Django reads every field of a model: before the quarantine the class behind AUTH_USER_MODEL needs "
            "`password = None` and `last_login = None`. A class that inherits from AbstractBaseUser can say so, "
            "django.contrib.auth.models.User itself cannot: with it the columns have to stay."
        ),
    ),
)
