"""Makes the application's client at Auther as its shim needs it, and sees whether people get through."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.auther.live.client.database import DatabaseRows
from migrator.auther.live.client.endpoint import open_client
from migrator.auther.live.client.interface import Client
from migrator.auther.live.client.repair import Repair, compare, repair
from migrator.auther.live.doctor.asking import Asker
from migrator.auther.live.doctor.interface import Finding, NoAnswerError, State
from migrator.auther.live.doctor.logins import ENSURE
from migrator.auther.live.doctor.registry import QUESTIONS, ask, blocking
from migrator.auther.live.doctor.visit import Visit
from migrator.core import ids
from migrator.core.errors import ExitCode, RefusedError, UsageError
from migrator.runner.importing.ends import open_target
from migrator.runner.standing_up.database import open_database
from migrator.runner.standing_up.doctoring import SUBJECT, make_setting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from migrator.auther.live.client.interface import ClientRows
    from migrator.runner.canaries import Canary
    from migrator.runner.context import Context

CLIENT, CONSENTS = "client", "consents"
_PAGE_USERS = 500


@dataclass(frozen=True)
class Ensured:
    """The client's row, and how the login looks from outside.

    Attributes:
        repair: What was changed, or would be.
        login: What the doctor says about `client` and `consent`; empty without a running Auther.
        trusted_entry: What a person adds to Auther's own configuration.
    """

    repair: Repair
    login: dict[str, Finding]
    trusted_entry: str

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with."""
        if blocking(self.login, State.MISSING):
            return ExitCode.REFUSED
        known = self.login and not blocking(self.login, State.UNKNOWN)
        return ExitCode.DONE if known else ExitCode.HELD


def plan_client(ctx: Context) -> Ensured:
    """Say what the client's row lacks; changes nothing and asks no running Auther.

    Raises:
        UsageError: client_id or redirect_uri is not set.
        RefusedError: It is a client with a secret, or Auther's tables are unknown.
        DependencyError: The database cannot be reached.
    """
    wanted = _wanted(ctx)
    with _open_rows(ctx, wanted.client_id, writing=False) as rows:
        needed = compare(rows, wanted)
    return Ensured(needed, {}, trusted_entry(needed.client))


def ensure_client(ctx: Context, *, canary: Canary | None = None) -> Ensured:
    """Create or repair the client's row, then look at the login with the canary.

    Interrupted, the ledger holds an intent and the row is as it was or as it has to be; run it again.

    Raises:
        UsageError: client_id or redirect_uri is not set.
        RefusedError: It is a client with a secret, or somebody else changed the row meanwhile.
        DependencyError: The database cannot be reached.
    """
    wanted = _wanted(ctx)
    with (
        ctx.state.locks.held(SUBJECT),
        _open_rows(ctx, wanted.client_id, writing=True) as rows,
    ):
        needed = compare(rows, wanted)
        if needed.differences:
            changed = [one.column for one in needed.differences]
            with ctx.state.ledger.recorded(
                SUBJECT, CLIENT, columns=changed, made=not needed.exists
            ):
                repair(rows, needed, now_ms=_ms(ctx.clock.now()))
    return Ensured(needed, _login(ctx, canary), trusted_entry(needed.client))


def write_consents(ctx: Context, *, remove: bool = False) -> int:
    """Write a consent for every user of this migration, or take those consents back.

    Page by page, each one transaction; interrupted, the same command finishes: what is there stays.

    Returns:
        How many rows this run wrote or removed.

    Raises:
        RefusedError: There is no client yet, or the way in does not reach it.
        DependencyError: Auther or its database failed; the pages before are done.
    """
    client_id, done = _wanted(ctx).client_id, 0
    with (
        ctx.state.locks.held("import") as lease,
        _open_rows(ctx, client_id, writing=True) as rows,
        ctx.state.ledger.recorded(SUBJECT, CONSENTS, remove=remove) as facts,
        ctx.progress.task("consents", total=None) as task,
    ):
        if rows.read() is None:
            raise RefusedError(f"Auther has no row of the client {client_id}", hint=ENSURE)
        for users in _pages(ctx):
            ctx.state.locks.check(lease)
            if remove:
                done += rows.remove_consents(users)
            else:
                done += rows.add_consents(users, now_ms=_ms(ctx.clock.now()))
            task.advance(len(users))
        facts["rows"] = done
    return done


def trusted_entry(client: Client) -> str:
    """Give the entry for `trustedClients` of Auther's oidcProvider, without which people are asked."""
    addresses = ", ".join(f'"{one}"' for one in client.redirects)
    return (
        f'{{ clientId: "{client.client_id}", name: "{client.name}", type: "public",'
        f" redirectURLs: [{addresses}], metadata: {{}}, disabled: false, skipConsent: true }}"
    )


def _wanted(ctx: Context) -> Client:
    client_id, redirect = ctx.config.auther.client_id, ctx.config.shim.redirect_uri
    if not client_id or not redirect:
        raise UsageError(
            "a client needs [auther] client_id and [shim] redirect_uri", hint="set both"
        )
    return Client(client_id, ctx.config.migration.name, (redirect,))


def _login(ctx: Context, canary: Canary | None) -> dict[str, Finding]:
    if not ctx.config.auther.base_url:
        return {}
    setting = make_setting(ctx, canary=canary)
    with closing(Asker(setting.base_url)) as asker:
        visit = Visit(setting, asker, ctx.clock)
        found = {code: ask(visit, code, QUESTIONS[code]) for code in ("client", "consent")}
        with suppress(NoAnswerError):
            visit.leave()
    return found


@contextmanager
def _open_rows(ctx: Context, client_id: str, *, writing: bool) -> Iterator[ClientRows]:
    config = ctx.config
    if config.auther.kind == "endpoint":
        secret = ctx.reveal(config.plugin.client_secret)
        with open_client(config.auther.api, client_id, secret=secret) as rows:
            yield rows
    else:
        with open_database(ctx, writing=writing) as target:
            yield DatabaseRows(target, client_id, mark=ids.mark_key(ctx.migration_key()))


def _pages(ctx: Context) -> Iterator[list[str]]:
    """Give the ids of Auther's users, page by page, through a reader of its own."""
    with open_target(ctx, writing=False) as target:
        yield from target.user_ids(rows=_PAGE_USERS)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
