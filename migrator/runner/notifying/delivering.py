"""Empties the outbox: at least once, later rather than never, and never for longer than allowed."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import structlog

from migrator.auther.live.probe import is_encrypted
from migrator.core.errors import MigratorError
from migrator.core.events import Event
from migrator.dashboards.notification import body, headers
from migrator.runner.notifying.announcing import new_id

if TYPE_CHECKING:
    from migrator.config.notify import WebhookSection
    from migrator.runner.context import Context
    from migrator.state.outbox import Waiting

log = structlog.get_logger()
TIMEOUT_S = 3.0
CLAIMED_FOR = timedelta(minutes=1)
GIVEN_UP_AFTER = timedelta(days=3)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 3600.0
LONGEST_RETRY_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Delivered:
    """What a round did.

    Attributes:
        sent: Notifications that were taken.
        waiting: Those still in the outbox.
        errors: Why some were not taken, by receiver.
    """

    sent: int
    waiting: int
    errors: tuple[str, ...]


@dataclass(frozen=True)
class _Answer:
    """What came of one attempt.

    Attributes:
        error: Empty when it was taken.
        retry_after: What the receiver asked for.
    """

    error: str = ""
    retry_after: timedelta | None = None


def deliver_within(ctx: Context, limit_s: float) -> None:
    """Deliver what is due; after the limit the rest goes on waiting. Never raises for a receiver."""
    sender = threading.Thread(target=_quietly, args=(ctx,), daemon=True)
    sender.start()
    sender.join(limit_s)


def deliver(ctx: Context, *, everything: bool = False) -> Delivered:
    """Send what is due, or everything that waits, in the order in which it happened.

    A receiver that fails is left alone for the rest of the round. Interrupted, what was under way is
    sent again after a minute, under the same id.

    Raises:
        DependencyError: The state cannot be read or written.
    """
    outbox, hooks = ctx.state.outbox, _hooks(ctx)
    sent, errors = 0, dict[str, str]()
    with _client() as client:
        for one in outbox.waiting(due=None if everything else ctx.clock.now()):
            hook, now = hooks.get(one.receiver), ctx.clock.now()
            if hook is None or now - one.at > GIVEN_UP_AFTER:
                log.warning("not delivered", id=one.event, to=one.receiver, why=one.last_error)
                outbox.forget(one)
                continue
            if one.receiver in errors or not outbox.claim(one, until=now + CLAIMED_FOR):
                continue
            answer = _post(ctx, client, hook, one.body, event_id=one.event)
            if answer.error:
                errors[one.receiver] = answer.error
                outbox.failed(one, error=answer.error, next_at=_next(one, answer, now))
            else:
                outbox.forget(one)
                sent += 1
    said = tuple(f"{receiver}: {error}" for receiver, error in errors.items())
    return Delivered(sent, len(outbox.waiting()), said)


def send_test(ctx: Context) -> dict[str, str]:
    """Send a test event to every webhook now; gives each one's error, empty when it was taken."""
    event = Event("health", "a test of the notifications", ("nothing happened",), {"test": True})
    event_id, at = new_id(), ctx.clock.now()
    content = body(event, migration=ctx.config.migration.name, event_id=event_id, at=at)
    with _client() as client:
        return {
            receiver: _post(ctx, client, hook, content, event_id=event_id).error
            for receiver, hook in _hooks(ctx).items()
        }


def pause(attempts: int, *, chance: float) -> timedelta:
    """Give how long to wait after so many attempts that failed: longer each time, never in step.

    Args:
        attempts: 1 or more.
        chance: 0 to 1; spreads the wait between half and all of its length.
    """
    longest = min(FIRST_PAUSE_S * 2 ** (attempts - 1), LONGEST_PAUSE_S)
    return timedelta(seconds=longest * (0.5 + chance / 2))


def retry_after(said: str | None, *, now: datetime) -> timedelta | None:
    """Read a Retry-After header, seconds or a date; None when there is none that can be read."""
    if said is None:
        return None
    try:
        at = (
            now + timedelta(seconds=int(said)) if said.isdecimal() else parsedate_to_datetime(said)
        )
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(timedelta(), min(at - now, LONGEST_RETRY_AFTER))


def _next(one: Waiting, answer: _Answer, now: datetime) -> datetime:
    own = pause(one.attempts + 1, chance=random.random())  # noqa: S311 (spreads attempts only)
    return now + max(own, answer.retry_after or timedelta())


def _post(
    ctx: Context, client: httpx.Client, hook: WebhookSection, content: str, *, event_id: str
) -> _Answer:
    """Try once. Neither the address nor what the receiver says gets into the answer."""
    now = ctx.clock.now()
    try:
        url = httpx.URL(ctx.reveal(hook.url))
        secret = None if hook.secret is None else ctx.reveal(hook.secret)
        if not is_encrypted(str(url)):
            return _Answer("not an https address")
        signed = headers(content, event_id=event_id, secret=secret, at=now)
        with client.stream("POST", url, content=content, headers=signed) as answer:
            if answer.is_success:
                return _Answer()
            wait = retry_after(answer.headers.get("Retry-After"), now=now)
            return _Answer(f"answered {answer.status_code}", wait)
    except MigratorError as error:
        return _Answer(error.message)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _Answer(f"does not answer ({type(error).__name__})")


def _client() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False)


def _hooks(ctx: Context) -> dict[str, WebhookSection]:
    return {str(hook.url): hook for hook in ctx.config.notify.webhooks}


def _quietly(ctx: Context) -> None:
    try:
        deliver(ctx)
    except MigratorError as error:
        log.warning("nothing delivered", why=error.message)
