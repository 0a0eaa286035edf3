"""Deliveries of Auther's webhook beside the write-back: which are believed, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.auther.webhook.delivery import Trust
from migrator.auther.webhook.receiver import NEW, Receiver
from migrator.core.clock import iso
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from migrator.auther.webhook.receiver import Heard
    from migrator.runner.context import Context

SUBJECT, HEARD = "webhook", "heard"


def make_receiver(ctx: Context) -> Receiver:
    """Give a receiver of what [webhook] trusts.

    Raises:
        UsageError: There is no secret.
    """
    section = ctx.config.webhook
    if section.secret is None:
        raise UsageError(
            "[webhook] secret is not set",
            hint="the endpoint's whsec_… as Auther shows it, by env: or file:",
        )
    secret = section.secret.reveal(ctx.root)
    return Receiver(Trust(secret, section.signed, section.window), ctx.clock)


def remember(ctx: Context, heard: Heard) -> None:
    """Keep what came, for the doctor: numbers, and the newest event's kind and time."""
    last, late = heard.last, heard.late
    event = (
        None
        if last is None or late is None
        else {
            "type": last.type,
            "at": iso(last.at),
            "late_s": late.total_seconds(),
        }
    )
    told = {"at": iso(ctx.clock.now()), "signed": ctx.config.webhook.signed}
    ctx.state.checkpoints.put(
        SUBJECT, HEARD, {**told, "results": dict(heard.results), "last": event}
    )


def describe(ctx: Context) -> tuple[bool, str] | None:
    """Say whether deliveries are believed, and how they come; None when none ever came."""
    found: dict[str, Any] | None = ctx.state.checkpoints.get(SUBJECT, HEARD)
    if found is None or not found["results"]:
        return None
    results = ", ".join(f"{n} {result}" for result, n in sorted(found["results"].items()))
    if not found["results"].get(NEW):
        return False, f"deliveries came and none was believed: {results}"
    last = found["last"]
    return True, (
        f"{last['type']} came {last['late_s']:.1f} s after its event, signed over {found['signed']} ({results})"
    )
