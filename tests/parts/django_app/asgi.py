"""Serves the club under ASGI: `uvicorn asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "club_settings")
application = get_asgi_application()

from auther_dual_path.lifespan import WithLifespan  # noqa: E402 (needs the applications)

application = WithLifespan(application)
