"""Who is told when a stage, a gate or the health changes."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field, model_validator

from migrator.config.secrets import SecretRef
from migrator.config.section import Section
from migrator.core.events import EventKind

EVERYTHING: tuple[EventKind, ...] = get_args(EventKind)


class WebhookSection(Section):
    """An address that takes Slack's incoming webhooks.

    Attributes:
        url: It is a secret: whoever has it can post there.
        secret: Signs each request, so that the receiver can tell it from others.
        events: What it is told.
    """

    url: SecretRef
    secret: SecretRef | None = None
    events: Annotated[tuple[EventKind, ...], Field(min_length=1)] = EVERYTHING


class NotifySection(Section):
    """`[notify]`: webhooks; none by default."""

    webhooks: tuple[WebhookSection, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> NotifySection:
        if len({str(hook.url) for hook in self.webhooks}) < len(self.webhooks):
            raise ValueError("two webhooks have the same url")
        return self
