"""The section [webhook]: deliveries of Auther that make the write-back look at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from migrator.config.durations import Duration
from migrator.config.secrets import SecretRef
from migrator.config.section import Section

Signed = Literal["timestamp.body", "body"]


class WebhookSection(Section):
    """What makes a delivery Auther's.

    Attributes:
        listen: The address and port where `import write-back --watch` takes deliveries; empty takes none.
        secret: The endpoint's `whsec_…`, as Auther shows it.
        signed: What Auther signs; its guide says the body alone.
        window: How old an event may be. A late attempt carries the event's time.
    """

    listen: str = ""
    secret: SecretRef | None = None
    signed: Signed = "timestamp.body"
    window: Duration = timedelta(hours=1)
