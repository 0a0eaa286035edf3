"""What preflight has to say about Auther."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.users import RejectReason
from migrator.runner.readiness.findings import BYTES_PER_USER
from migrator.runner.readiness.reason import Reason, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.model import Config
    from migrator.runner.readiness.findings import Findings

_MEGABYTE = 1_000_000


def schema_refused(found: Findings, _config: Config) -> Iterator[Reason]:
    """Writing into tables that are not understood loses data."""
    if found.auther.refusal:
        yield Reason(
            "auther_schema",
            found.auther.refusal,
            "let [auther] in migrator.toml name another database",
        )


def file_unusable(found: Findings, config: Config) -> Iterator[Reason]:
    """The file must open, and a new one must have a place."""
    file = found.auther.file
    if file is None:
        return
    if file.fault:
        yield Reason(
            "auther_file", f"{config.auther.database}: {file.fault}", "check auther.database"
        )
    elif not file.folder_writable:
        yield Reason(
            "auther_folder",
            f"the folder of {config.auther.database} is missing or cannot be written",
            "make it, and let this user write there (SQLite keeps its journal beside the file)",
        )


def file_locked(found: Findings, config: Config) -> Iterator[Reason]:
    """Two writers shut each other out: Auther's sign-ins answer 500 meanwhile."""
    if found.auther.file and found.auther.file.locked:
        yield Reason(
            "auther_locked",
            f"somebody is writing to {config.auther.database} at this moment",
            "stop Auther or the other import, then migrator preflight",
        )


def disk_too_small(found: Findings, config: Config) -> Iterator[Reason]:
    """Rows, indexes and the journal need room."""
    file = found.auther.file
    needed = found.legacy.states.users * BYTES_PER_USER
    free = file.free_bytes if file else needed
    if file and file.folder_writable and free < needed:
        yield Reason(
            "disk",
            f"the disk of {config.auther.database} has {free // _MEGABYTE:,} MB free,"
            f" about {needed // _MEGABYTE:,} MB are needed",
            "free some, or put the file on another disk",
        )


def issuer_not_accepted(found: Findings, config: Config) -> Iterator[Reason]:
    """The shims accept tokens of the listed issuers only."""
    probe = found.auther.probe
    if probe and probe.issuer and config.auther.issuers and not probe.issuer_known:
        yield Reason(
            "issuer",
            f"Auther names itself {probe.issuer}, which [auther] issuers does not hold",
            f'add "{probe.issuer}" to issuers, or mend base_url',
        )


def algorithm_not_accepted(found: Findings, _config: Config) -> Iterator[Reason]:
    """The shims verify EdDSA."""
    probe = found.auther.probe
    if probe and probe.algorithms and "EdDSA" not in probe.algorithms:
        yield Reason(
            "algorithm",
            f"Auther's keys sign with {', '.join(probe.algorithms)}; the shims verify EdDSA",
            "let Auther's jwt plugin use EdDSA (its default)",
        )


def somebody_has_it_open(found: Findings, config: Config) -> Iterator[Reason]:
    """While an import writes, a live Auther's sign-ins on that file answer 500."""
    file = found.auther.file
    if file and file.opened_by:
        processes = ", ".join(map(str, file.opened_by))
        yield Reason(
            "auther_open",
            f"{config.auther.database} is open in process {processes} (journal: {file.journal_mode})",
            'stop Auther while the import runs, or set kind = "endpoint" under [auther]',
        )


def unreachable(found: Findings, _config: Config) -> Iterator[Reason]:
    """What cannot be reached cannot be written."""
    if found.auther.fault:
        yield Reason(
            "auther_unreachable",
            found.auther.fault,
            "look at the addresses and secrets under [auther], then: migrator preflight",
        )


def addresses_taken(found: Findings, _config: Config) -> Iterator[Reason]:
    """Whoever is there already belongs to other applications and is never changed."""
    count = found.forecast.rejected.get(RejectReason.TARGET_TAKEN, 0) if found.forecast else 0
    if count:
        yield Reason(
            "target_taken",
            f"{count:,} addresses belong to other users at Auther already",
            "the import rejects them as target_taken and changes nobody there",
        )


def no_index(found: Findings, config: Config) -> Iterator[Reason]:
    """A sign-in looks accounts up by user_id."""
    contents = found.auther.contents
    if contents and contents.account_index is False and not config.import_.account_index:
        yield Reason(
            "account_index",
            "Auther's account table has no index on user_id: sign-ins grow slow with its size",
            "set account_index = true under [import]",
        )


def not_probed(found: Findings, config: Config) -> Iterator[Reason]:
    """The import needs the file only; phase 2 needs the server."""
    probe = found.auther.probe
    if probe is None:
        yield Reason(
            "auther_not_probed",
            "auther.base_url is not set, so no running Auther was asked",
            "set it before phase 2",
        )
        return
    if probe.fault:
        yield Reason(
            "auther_silent", probe.fault, "the import can go on; phase 2 needs Auther running"
        )
    if not probe.encrypted:
        yield Reason(
            "plain_http",
            f"{probe.base_url} is not https",
            "shims fetch keys over https only, except from this machine",
        )
    if not config.auther.issuers:
        found_there = f': ["{probe.issuer}"]' if probe.issuer else ""
        yield Reason(
            "no_issuers", "[auther] issuers is empty", f"set it before phase 2{found_there}"
        )


AUTHER_BLOCKERS: tuple[Rule, ...] = (
    schema_refused,
    file_unusable,
    file_locked,
    disk_too_small,
    issuer_not_accepted,
    algorithm_not_accepted,
    somebody_has_it_open,
    unreachable,
)
AUTHER_WARNINGS: tuple[Rule, ...] = (
    addresses_taken,
    no_index,
    not_probed,
)
