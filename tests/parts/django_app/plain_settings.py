"""The club without its own sign-in: Auther's plain integration, with users or without."""

import os

from club_settings import *  # noqa: F403 (one is the other, but for what is below)

ROOT_URLCONF = "plain_urls"
HAS_USERS = os.environ["HAS_USERS"] == "1"
INSTALLED_APPS = ["auther_dual_path", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    *(["django.contrib.auth.middleware.AuthenticationMiddleware"] if HAS_USERS else []),
    "auther_dual_path.middleware.AutherMiddleware",
]
if HAS_USERS:
    INSTALLED_APPS += ["django.contrib.auth", "django.contrib.contenttypes", "people"]
    AUTHENTICATION_BACKENDS = ["people.backends.DeviseBackend"]
