"""Loads a file with users into our tables, or takes them away again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import file_digest
from typing import IO, TYPE_CHECKING, Any

from migrator.core.errors import ConflictError, DependencyError, UsageError
from migrator.legacy.connect import open_postgres
from migrator.legacy.loaded import LoadedTables, Seen, schema_of
from migrator.runner.importing.imports import SUBJECT
from migrator.runner.importing.user_files import users_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.legacy.file_user import FileUser
    from migrator.runner.context import Context

_EVERY = 1000


@dataclass(frozen=True)
class Files:
    """What to load.

    Attributes:
        users: The file with users.
        form: A key of `user_files.FORMS`.
        hashes: Auth0's second file, which holds the hashes of the users in the first one.
    """

    users: Path
    form: str
    hashes: Path | None = None


@dataclass
class _Reading:
    """A file being read, with the hashes that are still to be given out."""

    users: Iterator[FileUser]
    sha256: str
    hashes: dict[str, str] = field(default_factory=dict)

    def whole(self) -> Iterator[FileUser]:
        """Give the users, with their hashes."""
        for user in self.users:
            stored = self.hashes.pop(user.values["id"], None)
            if stored is None:
                yield user
            else:
                yield replace(user, values={**user.values, "password": stored})


@dataclass(frozen=True)
class Load:
    """What a file holds.

    Attributes:
        columns: What the file says about users, by our names.
        integer_keys: All ids are integers.
        sha256: Of the file, in hexadecimal.
        hashes_left: How many hashes of the second file belong to nobody in the first.
    """

    file: str
    form: str
    sha256: str
    users: int
    identities: int
    columns: tuple[str, ...]
    integer_keys: bool
    hashes_left: int = 0

    def as_data(self) -> dict[str, Any]:
        """Give all of it; there is no secret in it."""
        return {**asdict(self), "columns": list(self.columns)}


def examine(ctx: Context, files: Files) -> Load:
    """Read a whole file as a load would, and write nothing.

    Args:
        ctx: The surroundings.
        files: What to read.

    Raises:
        UsageError: The file cannot be read or imported.
    """
    _schema(ctx)
    with _reading(ctx, files) as reading:
        seen = Seen()
        for user in reading.whole():
            seen.add(user)
    seen.check()
    return _load(files, reading, seen)


def load(ctx: Context, files: Files) -> Load:
    """Put a file's users in place of those that were loaded before; all of them or none.

    Raises:
        UsageError: The file cannot be read or imported; what was loaded before is as it was.
        ConflictError: Another runner is at work.
        DependencyError: The database failed; what was loaded before is as it was.
    """
    schema = _schema(ctx)
    with (
        ctx.state.locks.held(SUBJECT),
        _reading(ctx, files) as reading,
        open_postgres(
            ctx.reveal(ctx.config.legacy.dsn), doing="loading a file", read_only=False
        ) as connection,
    ):
        began = {"file": files.users.name, "form": files.form, "sha256": reading.sha256}
        with ctx.state.ledger.recorded(SUBJECT, "load", **began) as facts:
            seen = LoadedTables(connection, schema).replace(reading.whole())
            made = _load(files, reading, seen)
            facts.update(made.as_data())
    return made


def unload(ctx: Context) -> bool:
    """Drop our tables with the hashes in them; what is at Auther stays.

    Returns:
        Whether there were any.

    Raises:
        ConflictError: Another runner is at work.
        DependencyError: The database failed.
    """
    schema = _schema(ctx)
    with (
        ctx.state.locks.held(SUBJECT),
        open_postgres(
            ctx.reveal(ctx.config.legacy.dsn), doing="loading a file", read_only=False
        ) as connection,
    ):
        tables = LoadedTables(connection, schema)
        if not tables.exist():
            return False
        with ctx.state.ledger.recorded(SUBJECT, "unload"):
            tables.remove()
    return True


def _schema(ctx: Context) -> str:
    kind = ctx.config.legacy.kind
    if kind != "loaded":
        raise ConflictError(
            f'legacy.kind is "{kind}": a file that is loaded would not be read',
            hint='set kind = "loaded" under [legacy] in migrator.toml',
        )
    return schema_of(ctx.config.legacy)


@contextmanager
def _reading(ctx: Context, files: Files) -> Iterator[_Reading]:
    if files.hashes is not None and files.form != "auth0":
        raise UsageError("only Auth0 gives hashes in a second file", hint="leave --hashes out")
    hashes = _hashes(files.hashes) if files.hashes else {}
    with _opened(files.users) as file:
        digest = _digest(file)
        users = _advancing(ctx, users_of(file, form=files.form))
        yield _Reading(users, digest, hashes)


def _hashes(path: Path) -> dict[str, str]:
    with _opened(path) as file:
        found = (user.values for user in users_of(file, form="auth0"))
        return {values["id"]: values["password"] for values in found if values["password"]}


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="give the file's path") from None


def _digest(file: IO[bytes]) -> str:
    try:
        found = file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        file.seek(0)
    except OSError as error:
        raise DependencyError(f"the file cannot be read: {error.strerror}") from None
    return found


def _advancing(ctx: Context, users: Iterator[FileUser]) -> Iterator[FileUser]:
    with ctx.progress.task("Reading the file", total=None) as task:
        for number, user in enumerate(users, start=1):
            if number % _EVERY == 0:
                task.advance(_EVERY)
            yield user


def _load(files: Files, reading: _Reading, seen: Seen) -> Load:
    return Load(
        file=files.users.name,
        form=files.form,
        sha256=reading.sha256,
        users=seen.users,
        identities=seen.identities,
        columns=tuple(sorted(seen.columns)),
        integer_keys=seen.integer_keys,
        hashes_left=len(reading.hashes),
    )
