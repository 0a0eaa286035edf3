"""`migrator user`: what the support desk asks about one person."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.table import Table

from migrator.cli.common import json_option, pass_context
from migrator.cli.groups import Group
from migrator.cli.output import emit
from migrator.core.clock import iso
from migrator.core.errors import ExitCode
from migrator.core.redact import mask_email
from migrator.core.stage import Stage
from migrator.runner.support.advice import advise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import Console

    from migrator.runner.context import Context
    from migrator.runner.support.advice import Advice
    from migrator.runner.support.facts import AutherFacts, Cutover, Person

Answer = tuple["Person", "Advice"]


@click.group(cls=Group)
def user() -> None:
    """Ask about one person: where they sign in, why it fails, what to do."""


@user.command()
@click.argument("email")
@click.option("--show-emails", is_flag=True, help="Print the address in full.")
@json_option
@pass_context
def show(ctx: Context, email: str, show_emails: bool, as_json: bool) -> ExitCode:
    """Say where whoever has EMAIL signs in, what stands in the way, and the one next thing to do.

    Reads both sides and changes nothing. Exit code 1: the right password would not get them in.
    """
    from migrator.runner.support.look_up import cutover, look_up

    at = cutover(ctx)
    answers = [(person, advise(person, at)) for person in look_up(ctx, email)]
    said = (lambda address: address) if show_emails else mask_email
    data = [
        {**asdict(person), "email": said(person.email), "advice": asdict(advice)}
        for person, advice in answers
    ]
    emit(as_json, data, lambda out: _show(out, answers, at, said(answers[0][0].email)))
    return ExitCode.DONE if answers[0][1].signs_in else ExitCode.REFUSED


def _show(out: Console, answers: Sequence[Answer], at: Cutover, email: str) -> None:
    percent = f" {at.percent:g} %" if at.stage is Stage.DUAL else ""
    out.print(f"{email}, in stage {at.stage}{percent}", markup=False)
    for person, advice in answers:
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, text in _lines(person):
            table.add_row(name, text)
        out.print(table)
        _show_advice(out, advice)
    if len(answers) > 1:
        out.print(
            "several rows share this address apart from capitals or blanks; the first counts"
        )


def _show_advice(out: Console, advice: Advice) -> None:
    out.print(f"sent to   {advice.door}", markup=False)
    for reason in advice.reasons:
        out.print(f"in the way: {reason}", markup=False)
    out.print(f"next: {advice.next_action}", markup=False)


def _lines(person: Person) -> Iterator[tuple[str, str]]:
    legacy, link, auther = person.legacy, person.link, person.auther
    if legacy is None:
        yield "application", "no such user"
    else:
        password = legacy.scheme or "of no known scheme" if legacy.has_password else "none"
        yield "application", f"user {legacy.pk}, {legacy.state}, password: {password}"
        if legacy.refused:
            yield "import", f"rejected: {legacy.refused}"
    if link is not None:
        yield "home", _home(link.home, link.pinned, link.origin)
        yield (
            "last seen",
            f"legacy {_when(link.last_legacy_at)}, Auther {_when(link.last_auther_at)}",
        )
        if not link.hash_unchanged:
            yield "password", "changed on one side since it was brought over"
        if link.unwritten:
            yield (
                "write-back",
                f"{link.unwritten} changes made at Auther are not in the application",
            )
    yield "Auther", _at_auther(auther) if auther else "no such user"
    if person.taken_by:
        yield "", f"the address belongs to another user there: {person.taken_by}"
    if person.shadow:
        yield (
            "last check",
            f"Auther said to the password that the application took: {person.shadow}",
        )


def _home(home: str, pinned: str | None, origin: str) -> str:
    linked = "" if origin == "import" else ", linked at a login"
    return f"{home}{linked}" + (f", pinned: {pinned}" if pinned else "")


def _at_auther(auther: AutherFacts) -> str:
    parts = [f"user {auther.id}", "verified" if auther.verified else "not verified"]
    parts.append(f"password: {auther.credential}")
    parts += [f"through {', '.join(auther.providers)}"] if auther.providers else []
    parts += [f"banned: {auther.ban_reason}"] if auther.ban_reason is not None else []
    return ", ".join(parts)


def _when(at: datetime | None) -> str:
    return iso(at) if at else "never"
