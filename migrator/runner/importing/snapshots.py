"""Copies of the target, taken before the first write of an import, and by hand."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.runner.importing.ends import way_to_auther
from migrator.runner.importing.imports import SUBJECT

if TYPE_CHECKING:
    from migrator.runner.context import Context

FOLDER = Path(".migrator/snapshots")
CHECKPOINT = "snapshot"
ACTION = "snapshot"
_FOLDER_MODE = 0o700


@dataclass(frozen=True)
class Snapshot:
    """A copy of what was at Auther.

    Attributes:
        file: Relative to the folder of migrator.toml.
        taken_at: ISO 8601, UTC.
        sha256: Of the file, in hexadecimal.
    """

    file: str
    taken_at: str
    users: int
    size_bytes: int
    sha256: str


def take_snapshot(ctx: Context) -> Snapshot:
    """Copy what is at Auther now; a process that is killed leaves a `.part` that nobody trusts.

    Raises:
        UsageError: There is nothing at Auther yet.
        DependencyError: Auther does not answer, or the disk has no room.
    """
    way = way_to_auther(ctx)
    folder = ctx.path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
    now = ctx.clock.now()
    path = _free(folder / f"{now:%Y%m%dT%H%M%SZ}{way.snapshot_suffix}")
    part = path.with_name(path.name + ".part")
    with ctx.state.ledger.recorded(SUBJECT, ACTION, file=str(FOLDER / path.name)) as facts:
        part.unlink(missing_ok=True)
        users = way.save(part)
        with part.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        part.replace(path)
        size = path.stat().st_size
        taken = Snapshot(str(FOLDER / path.name), iso(now), users, size, digest)
        facts.update(asdict(taken))
    return taken


def _free(path: Path) -> Path:
    """Give a name that no earlier snapshot has."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found


def take_first_snapshot(ctx: Context) -> None:
    """Before an import writes its first user among others', copy what is there, once.

    Raises:
        DependencyError: Auther does not answer, or the disk has no room.
    """
    checkpoints = ctx.state.checkpoints
    if checkpoints.get(SUBJECT, CHECKPOINT) is None and not way_to_auther(ctx).is_absent():
        checkpoints.put(SUBJECT, CHECKPOINT, asdict(take_snapshot(ctx)))


def list_snapshots(ctx: Context) -> list[tuple[Snapshot, bool]]:
    """Give all snapshots of this migration, oldest first, each with whether its file is there."""
    names = Snapshot.__dataclass_fields__
    found = [
        Snapshot(**{name: entry.body[name] for name in names})
        for entry in ctx.state.ledger.entries(subject=SUBJECT)
        if entry.action == ACTION and entry.kind == "outcome" and entry.body["result"] == "done"
    ]
    return [(snapshot, ctx.path(Path(snapshot.file)).exists()) for snapshot in found]
