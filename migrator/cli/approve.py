"""`migrator approve`: two people let happen what one alone must not do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.common import json_option, pass_context
from migrator.cli.groups import Group
from migrator.cli.output import emit
from migrator.cli.secret import SECRET
from migrator.core.clock import SystemClock, parse_iso
from migrator.core.durations import format_duration
from migrator.core.errors import RefusedError, UsageError
from migrator.runner.private_file import put_in_place

if TYPE_CHECKING:
    from migrator.cli.common import Invocation
    from migrator.config.secrets import SecretRef
    from migrator.core.approval import Request
    from migrator.runner.context import Context


@click.group(cls=Group)
def approve() -> None:
    """Approve what two people have to decide; their keys are in migrator.toml."""


@approve.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The private key's file  [default: NAME.key]",
)
def keygen(name: str, out: Path | None) -> None:
    """Make an approver's key and print what goes into migrator.toml."""
    from migrator.config.name import NAME_PATTERN
    from migrator.core.ed25519 import new_private_key, public_key_of

    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(f"{name!r} cannot name an approver", hint="use a-z, 0-9, - and _")
    path = out or Path(f"{name}.key")
    if path.exists():
        raise UsageError(f"{path} exists already", hint="name another file with --out")
    key = new_private_key()
    with put_in_place(path, what="the key", hint="make room, then the same again") as file:
        file.write(key + "\n")
    click.echo(f'[[approvers]]\nname = "{name}"\npublic_key = "{public_key_of(key)}"')
    click.echo(f"the private key is in {path}: only {name} may have it", err=True)


@approve.command()
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", type=SECRET, required=True, help="The approver's private key.")
@click.option("--as", "name", required=True, help="The approver's name in migrator.toml.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@click.pass_obj
def sign(invocation: Invocation, request: Path, key: SecretRef, name: str, yes: bool) -> None:
    """Show in words what is asked for, and sign it; needs no state and no database."""
    from migrator.core.approval import sign_request
    from migrator.runner.approving import signature_file

    text, asked = _read(request)
    private_key = key.reveal(Path.cwd())
    _check(invocation, asked, name=name, private_key=private_key)
    for line in _in_words(asked):
        click.echo(line)
    if not yes:
        click.confirm(f"Do you, {name}, approve this?", abort=True)
    signature = sign_request(text, name=name, private_key=private_key)
    path = signature_file(request, name)
    with put_in_place(path, what="the signature", hint="make room, then the same again") as file:
        file.write(signature.to_text())
    click.echo(f"signed: {path}")


@approve.command("list")
@json_option
@pass_context
def list_(ctx: Context, as_json: bool) -> None:
    """Show what waits for approval, and who has signed it."""
    from migrator.runner.approving import judged, open_requests

    found = [(request, judged(ctx, request)) for request in open_requests(ctx)]
    lines = [
        f"{request.purpose} until {request.expires_at}: {'; '.join(judgement.faults) or 'approved'}\n"
        f"  {request.path}"
        for request, judgement in found
    ]
    data = [
        {
            "purpose": request.purpose,
            "file": request.path,
            "expires_at": request.expires_at,
            "approvers": judgement.approvers,
            "missing": judgement.faults,
        }
        for request, judgement in found
    ]
    emit(
        as_json,
        {"requests": data},
        lambda out: out.print("\n".join(lines) or "nothing waits", markup=False, soft_wrap=True),
    )


def _read(path: Path) -> tuple[str, Request]:
    from migrator.core.approval import read_request

    try:
        text = path.read_text(encoding="utf-8")
        return text, read_request(text)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", hint="migrator approve list") from None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} holds no request for an approval", hint="migrator approve list"
        ) from error


def _check(invocation: Invocation, asked: Request, *, name: str, private_key: str) -> None:
    """Refuse early what would not count later."""
    from migrator.config.load import load
    from migrator.core.ed25519 import public_key_of

    config = load(invocation.config_path)
    if asked.migration != config.migration.name:
        raise RefusedError(f"this request is about another migration, {asked.migration}")
    if SystemClock().now() > parse_iso(asked.expires_at):
        raise RefusedError(
            f"this request expired at {asked.expires_at}", hint="have it asked for anew"
        )
    keys = {one.name: one.key(invocation.root) for one in config.approvers}
    if name not in keys:
        raise RefusedError(
            f"{name} is no approver in {invocation.config_path}", hint="see [[approvers]] there"
        )
    try:
        mine = public_key_of(private_key)
    except ValueError as error:
        raise UsageError(f"--key: {error}", hint="migrator approve keygen NAME") from None
    if mine != keys[name]:
        raise RefusedError(
            f"this key is not {name}'s in {invocation.config_path}", hint="use your own key"
        )


def _in_words(asked: Request) -> list[str]:
    """Say what is approved; control characters of whoever asked reach no terminal."""
    from migrator.core.approval import GOOD_FOR

    matter = asked.matter
    life = f"good once and until {asked.expires_at} ({format_duration(GOOD_FOR)} at most)"
    said = [
        f"{asked.asked_by} asks for: {matter.purpose} in migration {asked.migration}",
        *(f"  {line}" for line in matter.words),
        f"reason: {asked.reason or 'none given'}",
        *(f"bound to {what} {digest}" for what, digest in sorted(matter.bound_to.items())),
        f"asked at {asked.asked_at}, {life}",
    ]
    return ["".join(c if c.isprintable() else "?" for c in line) for line in said]
