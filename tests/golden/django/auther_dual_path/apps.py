"""The Django application: put it first in INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class AutherDualPathConfig(AppConfig):
    """Connects what Django calls at logins and logouts, and refuses to start half installed."""

    name = "auther_dual_path"

    def ready(self) -> None:
        """Connect it."""
        from . import backends, installation, receivers  # noqa: PLC0415 (needs the models)

        checks.register(installation.is_complete)
        receivers.connect()
        backends.stay_out_of_the_way()
