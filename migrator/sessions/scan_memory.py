"""How far a scan of Redis came, so that one that was killed goes on.

What was read is appended to a file, then how far that is to a checkpoint: killed between both, the scan reads
those keys again. A cursor means something to the server that gave it, while that runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.config.on_disk import private
from migrator.core.clock import iso, parse_iso
from migrator.core.errors import DependencyError
from migrator.sessions.key_tally import KeyTally

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path

    from migrator.core.clock import Clock
    from migrator.state.checkpoints import Checkpoints

SUBJECT, KEY = "census", "scanned"
KEPT_EVERY_KEYS = 50_000


@dataclass
class Scan:
    """A scan that goes on.

    Attributes:
        of: Of which store on which server.
        written_at: When one of the sessions that were read was written last.
        length: How many bytes of the file count.
        note: Why it begins anew, or where it goes on; empty for a first one.
    """

    of: str
    began: datetime
    keys: KeyTally
    cursor: int = 0
    written_at: datetime | None = None
    length: int = 0
    note: str = ""


@dataclass(frozen=True)
class ScanMemory:
    """Remembers one scan.

    Attributes:
        file: Holds hashes of the keys that were read, for their owner only.
        good_for: How old a count may be that looks rely on: a scan that began earlier is not worth its end.
    """

    checkpoints: Checkpoints
    file: Path
    good_for: timedelta
    clock: Clock

    def recall(self, of: str) -> Scan:
        """Give the scan of a store to go on with, or a new one."""
        now, stored = self.clock.now(), self.checkpoints.get(SUBJECT, KEY)
        if not stored:
            return self._new(of, now, "")
        began = parse_iso(stored["began"])
        if stored["of"] != of:
            return self._new(of, now, "began anew: another server, or it was restarted")
        if not now - self.good_for <= began <= now:
            return self._new(of, now, f"began anew: the count of {iso(began)} is too old")
        kept = self.file.read_bytes()[: stored["length"]] if self.file.is_file() else b""
        if len(kept) < stored["length"]:
            return self._new(of, now, f"began anew: {self.file.name} is gone")
        keys = KeyTally(bytes.fromhex(stored["salt"]))
        keys.load(kept)
        written_at = stored["written_at"] and parse_iso(stored["written_at"])
        note = f"went on with the count of {iso(began)}"
        return Scan(of, began, keys, stored["cursor"], written_at, stored["length"], note)

    def keep(self, scan: Scan) -> None:
        """Write down what was read since the last time.

        Raises:
            DependencyError: The file cannot be written.
        """
        fresh = scan.keys.take_fresh()
        try:
            self._append(fresh, after=scan.length)
        except OSError as error:
            raise DependencyError(
                f"{self.file.name} cannot be written: {error.strerror}",
                hint="make room, then: migrator drain census",
            ) from error
        scan.length += len(fresh)
        self.checkpoints.put(
            SUBJECT,
            KEY,
            {
                "of": scan.of,
                "began": iso(scan.began),
                "salt": scan.keys.salt.hex(),
                "cursor": scan.cursor,
                "written_at": scan.written_at and iso(scan.written_at),
                "length": scan.length,
            },
        )

    def _append(self, fresh: bytes, *, after: int) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.file, "ab", opener=private) as file:
            file.truncate(after)
            file.write(fresh)

    def forget(self) -> None:
        """Let the next scan be a new one."""
        self.checkpoints.drop(SUBJECT, KEY)
        self.file.unlink(missing_ok=True)

    def _new(self, of: str, now: datetime, note: str) -> Scan:
        self.forget()
        return Scan(of, now, KeyTally(), note=note)
