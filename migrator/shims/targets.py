"""The targets that shims can be generated for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.shims.asgi import AsgiTarget
from migrator.shims.django import DjangoTarget
from migrator.shims.express import ExpressTarget
from migrator.shims.go import GoTarget
from migrator.shims.hono import HonoTarget
from migrator.shims.laravel import LaravelTarget
from migrator.shims.rack import RackTarget
from migrator.shims.rails import RailsTarget

if TYPE_CHECKING:
    from migrator.shims.interface import Target

TARGETS: dict[str, Target] = {
    "rails": RailsTarget(),
    "asgi": AsgiTarget(),
    "django": DjangoTarget(),
    "express": ExpressTarget(),
    "go": GoTarget(),
    "hono": HonoTarget(),
    "laravel": LaravelTarget(),
    "rack": RackTarget(),
}
