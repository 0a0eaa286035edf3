"""`migrator remove`, as far as archives go: keys, drill, restore, erasure, receipt."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from migrator.cli.common import json_option, pass_context
from migrator.cli.output import emit
from migrator.config.secrets import SecretRef
from migrator.core.errors import UsageError
from migrator.runner.private_file import put_in_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from migrator.archive.encryption import Opening
    from migrator.runner.context import Context
    from migrator.runner.removing.drilling import Proven
    from migrator.runner.removing.erasing import Erased
    from migrator.runner.removing.restoring import FoundArchive, Restored
    from migrator.runner.removing.wishes import Wish


class _Secret(click.ParamType[SecretRef]):
    """`env:NAME` or `file:PATH`."""

    name = "SECRET"

    def convert(self, value: Any, param: Any, ctx: Any) -> SecretRef:
        """Read it; what is wrong may be the secret itself and is not repeated."""
        try:
            return value if isinstance(value, SecretRef) else SecretRef.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


SECRET = _Secret()
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
identity_option = click.option(
    "--identity", type=SECRET, help="The archive's private key, env:NAME or file:PATH."
)


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file for the private key (mode 0600).",
)
@json_option
def keygen(out: Path, as_json: bool) -> None:
    """Make a pair of keys for the archive and print the public one.

    Whoever has the private key can restore, and without it nobody can: keep it away from this machine, twice.
    """
    from migrator.archive.encryption import make_identity

    if out.exists():
        raise UsageError(f"{out} is there already", hint="name another file")
    private, public = make_identity()
    with put_in_place(out, what="the private key", hint="make room, then the same again") as file:
        file.write(f"# public key: {public}\n{private}\n")
    lines = [
        f"private key in {out}",
        "for migrator.toml, where its section [remove.archive] has recipients = []:",
        f'recipients = ["{public}"]',
    ]
    emit(as_json, {"recipient": public, "file": str(out)}, lambda console: _say(console, lines))


@click.command()
@identity_option
@click.option(
    "--from",
    "folder",
    type=_FOLDER,
    help="The archives' folder, on a machine that has neither plan nor state.",
)
@click.option("--into", type=SECRET, help="With --from: DSN of another database to restore into.")
@json_option
@pass_context
def drill(
    ctx: Context,
    identity: SecretRef | None,
    folder: Path | None,
    into: SecretRef | None,
    as_json: bool,
) -> None:
    """Prove the archives by restoring them; nothing of it stays.

    With --from it may run on another machine, by whoever has the private key.
    """
    from migrator.runner.removing import archive_work

    if folder is None and into is not None:
        raise UsageError("--into needs --from", hint="name the archives' folder")
    proven = (
        archive_work.drill_elsewhere(ctx, folder, identity=identity, into=into)
        if folder
        else archive_work.drill_all(ctx, identity=identity)
    )
    emit(
        as_json,
        {"proven": [asdict(table) for table in proven]},
        lambda console: _say(console, _proven(proven)),
    )


@click.command("restore")
@click.option(
    "--from",
    "folder",
    type=_FOLDER,
    required=True,
    help="An archive's folder, or the folder of several.",
)
@click.option("--into", type=SECRET, required=True, help="DSN of a new database.")
@click.option("--identity", type=SECRET, help="The private key, env:NAME or file:PATH.")
@click.option("--sha256", "hashes", multiple=True, help="SHA-256 of a manifest, from the receipt.")
@click.option(
    "--manifest",
    "manifests",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A copy of a manifest that was kept elsewhere.",
)
@click.option("--trust-folder", is_flag=True, help="Believe whoever could write to the folder.")
@json_option
def restore_(  # noqa: PLR0913, PLR0917 (click hands over each option by itself)
    folder: Path,
    into: SecretRef,
    identity: SecretRef | None,
    hashes: tuple[str, ...],
    manifests: tuple[Path, ...],
    trust_folder: bool,
    as_json: bool,
) -> None:
    """Make the archived tables anew in another database, from the archive alone.

    Needs no migrator.toml and no state. Everything is checked before anything is written. An archive brings the SQL that
    makes its tables, so each manifest has to be known from elsewhere: by --sha256, as the receipt and the ledger have it,
    or by --manifest. With --trust-folder whoever could write to the folder decides what runs in that database.
    """
    from migrator.dashboards.terminal import TerminalProgress
    from migrator.runner.removing.restoring import find_archives, restore

    known = _known_manifests(folder, hashes, manifests)
    if not known and not trust_folder:
        raise UsageError(
            f"nothing outside of {folder} says that it holds your archive, whose SQL would run in that database",
            hint="--sha256 from the receipt, for each archive; or --manifest with a copy kept elsewhere; or --trust-folder",
        )
    archives = find_archives(folder, known)
    opening = _opening(archives, identity)
    done = restore(archives, into.reveal(Path.cwd()), opening, TerminalProgress())
    emit(as_json, asdict(done), lambda console: _say(console, _restored(done)))


@click.command()
@click.option("--table", required=True, help="Schema and name, as in migrator.toml.")
@click.option("--key", "keys", multiple=True, help="A primary key; of several columns: 5,7.")
@click.option("--column", default="", help="Another column that --key is of, e.g. user_id.")
@click.option(
    "--keys-from",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with a key a line.",
)
@click.option("--reason", default="", help="Why, for those who approve.")
@click.option("--confirm", default="", help="The table's name, where there are no approvers.")
@json_option
@pass_context
def erase(  # noqa: PLR0913, PLR0917 (click hands over each option by itself)
    ctx: Context,
    table: str,
    keys: tuple[str, ...],
    column: str,
    keys_from: Path | None,
    reason: str,
    confirm: str,
    as_json: bool,
) -> None:
    """Erase rows from quarantine and archive; after a purge, keep them from ever coming back."""
    from migrator.runner.removing import archive_work
    from migrator.runner.removing.wishes import Wish

    listed = keys_from.read_text(encoding="utf-8").splitlines() if keys_from else []
    values = tuple(dict.fromkeys([*keys, *(line.strip() for line in listed if line.strip())]))
    if not values:
        raise UsageError("no key is named", hint="--key KEY, or --keys-from FILE")
    wish = Wish(table, column, values)
    done = archive_work.erase_rows(ctx, wish, reason=reason, confirmation=confirm)
    emit(as_json, asdict(done), lambda console: _say(console, _erased(done, wish)))


@click.command("receipt")
@json_option
@pass_context
def receipt_(ctx: Context, as_json: bool) -> None:
    """Write what was dropped, on what evidence, and how to restore, as JSON and HTML."""
    from migrator.runner.removing import receipt
    from migrator.runner.removing.plans import kept_plan

    made = kept_plan(ctx)
    files = receipt.keep_receipt(ctx, made)
    found = receipt.make_receipt(ctx, made)
    emit(as_json, asdict(found), lambda console: _say(console, [str(file) for file in files]))


def _known_manifests(folder: Path, hashes: Sequence[str], files: Sequence[Path]) -> list[str]:
    """Give the manifests' hashes that come from outside of the folder."""
    for file in files:
        if file.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                f"--manifest {file} is the folder's own, and says nothing about it",
                hint="name a copy that was kept elsewhere",
            )
    return [*(text.lower() for text in hashes), *(_sha256(file) for file in files)]


def _sha256(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _opening(archives: Sequence[FoundArchive], identity: SecretRef | None) -> Opening:
    from migrator.archive.encryption import NONE, Identity, Unencrypted

    if all(archive.manifest.encryption == NONE for archive in archives):
        return Unencrypted()
    if identity is None:
        raise UsageError("the archive is encrypted", hint="--identity file:archive.key")
    return Identity(identity.reveal(Path.cwd()))


def _proven(proven: Iterable[Proven]) -> list[str]:
    return [
        "restored, compared and dropped again:",
        *(f"  {table.table}: {table.rows} rows, sha256 {table.sha256[:12]}" for table in proven),
    ]


def _restored(done: Restored) -> list[str]:
    lines = ["restored:", *(f"  {table}: {rows} rows" for table, rows in done.tables.items())]
    # The list lies beside the manifest and is in no hash: whoever reads the receipt can tell that it is whole.
    lines += [f"entries of the erasure list: {done.erased} (the receipt has to say the same)"]
    if done.exceptions:
        lines += ["not as it was:", *(f"  {line}" for line in done.exceptions)]
    return lines


def _erased(done: Erased, wish: Wish) -> list[str]:
    if done.where == "erasure list":
        return [
            f"{wish.table}: {done.rows} rows may not come back: no revert and no restore brings them",
            "the files hold them until the archive is deleted",
        ]
    lines = [f"{wish.table}: {done.rows} rows erased from {done.where}"]
    if not done.rows:
        lines = [f"{wish.table}: no such row is in {done.where} (any more)"]
    if done.files:
        lines += [f"rewritten: {', '.join(done.files)}"]
    if done.needs_drill:
        lines += ["next: migrator remove drill"]
    return lines


def _say(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(escape(line), soft_wrap=True)
