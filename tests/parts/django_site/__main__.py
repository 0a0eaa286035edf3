"""Runs Django itself: migrations, its user model, its hashers. DJANGO_DSN names the database."""

import json
import os
import sys
from typing import Any

import django
import psycopg
from django.apps import apps
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.hashers import (
    BCryptSHA256PasswordHasher,
    PBKDF2PasswordHasher,
    check_password,
    make_password,
)
from django.core.management import call_command

from tests.parts.django_site import HASHERS

# A tenth of the work that Django asks for by itself; the values have the same form.
PBKDF2PasswordHasher.iterations = 100_000
BCryptSHA256PasswordHasher.rounds = 8

PASSWORD = "Crème brûlée $7"


def configure() -> None:
    """Point Django at the database."""
    place = psycopg.conninfo.conninfo_to_dict(os.environ["DJANGO_DSN"])
    names = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    database = {django: place[name] for name, django in names.items()}
    own = os.environ["DJANGO_MODEL"].partition(".")[0]
    settings.configure(
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            *(["tests.parts.django_site.people"] if own == "people" else []),
        ],
        AUTH_USER_MODEL=os.environ["DJANGO_MODEL"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS.values()],
    )
    django.setup()


def make() -> list[dict[str, Any]]:
    """Create the tables and users."""
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    model = get_user_model()
    is_own = model.__name__ == "Customer"
    users = own_users(model) if is_own else usual_users(model)
    return [shown(user, category) for category, user in users]


def usual_users(model: Any) -> list[tuple[str, Any]]:
    """Users of `auth.User`: one for each hasher, and one for each thing that can be special."""

    def created(name: str, **more: Any) -> Any:
        fields = {"email": f"{name}@example.org", "first_name": "Ada", "last_name": name, **more}
        return model.objects.create(username=name, **fields)

    editors = apps.get_model("auth", "Group").objects.create(name="editors")
    users = [(h, created(h, password=make_password(PASSWORD, hasher=h))) for h in HASHERS]
    users[0][1].groups.add(editors)
    cheap = make_password(PASSWORD, hasher="argon2")
    special: dict[str, dict[str, Any]] = {
        "unusable": {"password": make_password(None)},
        "inactive": {"password": cheap, "is_active": False},
        "no_address": {"password": cheap, "email": ""},
        "same_address": {"password": cheap, "email": "ARGON2@example.org"},
        "nameless": {"password": cheap, "first_name": "", "last_name": " ", "is_staff": True},
        "Mail.Name@example.org": {"password": cheap, "email": "mail.name@example.org"},
    }
    return [*users, *((name, created(name, **more)) for name, more in special.items())]


def own_users(model: Any) -> list[tuple[str, Any]]:
    """Users of the application's own model."""
    cheap = make_password(PASSWORD, hasher="argon2")
    proven = model.objects.create(mail="a@x.org", label="Ada", password=cheap, mail_proven=True)
    proven.groups.add(apps.get_model("auth", "Group").objects.create(name="buyers"))
    return [("proven", proven), ("new", model.objects.create(mail="b@x.org", password=cheap))]


def shown(user: Any, category: str) -> dict[str, Any]:
    """Give a user with what Django says of the password."""
    return {
        "id": user.pk,
        "category": category,
        "email": getattr(user, user.EMAIL_FIELD),
        "password": PASSWORD,
        # The user's own method would hash anew with the first hasher.
        "valid": check_password(PASSWORD, user.password),
        "active": user.is_active,
    }


def set_password(username: str, password: str) -> None:
    """Change a password."""
    user = get_user_model().objects.get(username=username)
    user.set_password(password)
    user.save()


def sign_in(*asked: str) -> list[bool]:
    """Ask as the login form does, of user names and passwords in turn."""
    pairs = zip(asked[::2], asked[1::2], strict=True)
    return [authenticate(username=name, password=word) is not None for name, word in pairs]


configure()
COMMANDS = {"make": make, "set_password": set_password, "sign_in": sign_in}
print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
