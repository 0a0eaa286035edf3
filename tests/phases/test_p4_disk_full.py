"""The archive on a disk that is really full: a small file system of its own, in a mount namespace that ends with the command."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import make_site

if TYPE_CHECKING:
    from pathlib import Path

PLACE = ".migrator/archive"
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
# Of what happens on the small disk nothing is left afterwards: each look is printed.
SCRIPT = """
said() {{ echo "== $1"; shift; "$@" 2>&1; echo "code $?"; }}
left() {{ echo "left:" $(cd {place} && find . -mindepth 2 | sort); }}
fill() {{ dd if=/dev/zero of={place}/filler bs=4k 2>/dev/null; }}
whole() {{ (cd {place}/*/{archive} && sha256sum --quiet -c SHA256SUMS && echo whole); }}
mount -t tmpfs -o size=200k none {place}
said "no room" {remove} apply --to {archive}; left
mount -o remount,size=8m none {place}
said "room" {remove} apply --to {archive}; whole
fill
said "no room for an erasure" {erase}; rm {place}/filler; whole
said "room for an erasure" {erase}; whole
said "proven" {remove} drill
"""


def test_a_full_disk_is_said_leaves_nothing_half_done_and_with_room_it_goes_on(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip(
            "no mount namespace here: only a file that may not grow is tried, by test_p4_archive"
        )
    site = make_site(tmp_path, devise_db, monkeypatch, columns=())
    site.sql(
        "INSERT INTO push_tokens (user_id, token, created_at, updated_at) "
        "SELECT min(id), md5(n::text), now(), now() FROM users, generate_series(1, 20000) AS n GROUP BY n"
    )
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    (tmp_path / PLACE).mkdir(parents=True, exist_ok=True)
    remove = f"{shlex.quote(sys.executable)} -m migrator remove"
    words = SCRIPT.format(
        place=PLACE,
        archive=steps.ARCHIVE_TABLES,
        remove=remove,
        erase=f"{remove} erase --table public.push_tokens --key 5 --confirm public.push_tokens",
    )
    ran = subprocess.run(
        [*NAMESPACE, "sh", "-c", words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    _, full, room, no_erasure, erasure, proven = ran.stdout.split("== ")
    assert "of the archive cannot be written: No space left on device" in full, (
        ran.stdout + ran.stderr
    )
    assert "next: make room, then the same command again\n" in full
    assert full.endswith("code 4\nleft:\n")
    assert room.endswith("code 0\nwhole\n"), room
    assert "of the archive cannot be written: No space left on device" in no_erasure
    assert no_erasure.endswith("code 4\nwhole\n"), no_erasure
    assert "1 rows erased from quarantine and archive" in erasure
    assert erasure.endswith("code 0\nwhole\n"), erasure
    assert proven.endswith("code 0\n"), proven
