"""The stage document: what the shim believes, and what it keeps when there is nothing to believe."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from migrator.core.stage import Stage, bucket
from migrator.shims.document import sign
from migrator.shims.rails import RailsTarget
from tests.parts.rails import settings_for
from tests.parts.stage_file import NAMESPACE, StageFile
from tests.shims.rails.club import NAVIGATION, Club

DRIVER = Path(__file__).with_name("stage_driver.rb")


@dataclass
class Reader:
    """The generated reader in a process of its own, at a document of its own."""

    file: StageFile
    cache: Path
    process: "subprocess.Popen[str]"

    def ask(self, command: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def read(self) -> str:
        """Look at the file anew; give stage, epoch and source."""
        return self.ask("read")

    def restart(self) -> str:
        """The same as a process that has just started."""
        return self.ask("restart")


@contextmanager
def started(club: Club, tmp_path: Path, **changed: Any) -> Iterator[Reader]:
    """Start the reader of a build with other settings; there is no document yet."""
    file, cache = StageFile(tmp_path / "stage.json"), tmp_path / "cache" / "stage.json"
    settings = replace(settings_for(club.issuer)(4000, file.public_key), **changed)
    initializer = RailsTarget().files(settings)["config/initializers/auther_cutover.rb"]
    process = subprocess.Popen(
        ["bundle", "exec", "ruby", "-Ilib", DRIVER, initializer.split("AutherCutover.install")[0]],
        cwd=club.app.folder,
        env=club.app.environment
        | {"MIGRATOR_STAGE_FILE": str(file.path), "MIGRATOR_STAGE_CACHE": str(cache)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    reader = Reader(file, cache, process)
    yield reader
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    process.stdout.close()
    process.wait(10)


@pytest.fixture
def reader(running_club: Club, tmp_path: Path) -> Iterator[Reader]:
    """At `drain`, epoch 1, read once."""
    with started(running_club, tmp_path) as reader:
        assert reader.read() == "dual 0 baked"
        reader.file.set(Stage.DRAIN)
        assert reader.read() == "drain 1 live"
        yield reader


@pytest.mark.parametrize("baked", [Stage.DRAIN, Stage.AUTHER])
def test_a_late_stage_is_never_guessed(running_club: Club, tmp_path: Path, baked: Stage) -> None:
    with started(running_club, tmp_path, baked_stage=baked) as reader:
        assert reader.read() == "nobody knows"
        reader.file.set(Stage.DRAIN)
        assert reader.read() == "drain 1 live"
        reader.file.path.unlink()
        assert reader.restart() == "drain 1 cached"


def forward_and_back(reader: Reader) -> None:
    reader.file.set(Stage.AUTHER)
    assert reader.read() == "auther 2 live"
    reader.file.set(Stage.DUAL)
    assert reader.read() == "dual 3 live"


BAD_TEXTS = [
    "",
    "{}",
    "[]",
    "null",
    "x" * 100_000,
    "\x00" * 100,
    '{"payload": 1, "signature": "x"}',
]


def test_what_is_believed_and_what_is_not(reader: Reader, tmp_path: Path) -> None:
    good, key = reader.file.document, reader.file.private_key
    newer = replace(good, epoch=5, stage=Stage.AUTHER)
    signed = json.loads(sign(newer, key))
    refused = {
        "another key": sign(newer, StageFile(tmp_path / "other.json").private_key),
        "edited": json.dumps({**signed, "payload": signed["payload"].replace("5", "6")}),
        "no signature": json.dumps({"payload": signed["payload"], "signature": ""}),
        "half a signature": json.dumps({**signed, "signature": signed["signature"][:40]}),
        "another migration": sign(replace(newer, namespace="other"), key),
        "an older epoch": sign(replace(good, epoch=0, stage=Stage.LEGACY), key),
        "another text for this epoch": sign(replace(good, stage=Stage.AUTHER), key),
        "another version": sign(replace(newer, version=2), key),
        "a percentage of text": sign(replace(newer, percent="x"), key),  # type: ignore[arg-type]
        "a deadline of text": sign(replace(newer, legacy_accept_until="soon"), key),
        **{f"text {text[:10]!r}": text for text in BAD_TEXTS},
    }
    assert good.namespace == NAMESPACE
    for name, text in refused.items():
        reader.file.path.write_text(text)
        assert reader.read() == "drain 1 cached", name
    reader.file.path.unlink()
    assert reader.read() == "drain 1 cached"
    forward_and_back(reader)


def test_a_new_process_keeps_the_copy_and_refuses_what_is_older(reader: Reader) -> None:
    older = reader.file.path.read_text()
    forward_and_back(reader)
    reader.file.path.unlink()
    assert reader.restart() == "dual 3 cached"
    reader.file.path.write_text(older)
    assert reader.restart() == "dual 3 cached"
    assert reader.cache.stat().st_mode & 0o777 == 0o600


def test_a_spoilt_copy_leaves_the_baked_stage(reader: Reader) -> None:
    reader.file.path.unlink()
    reader.cache.write_text(reader.cache.read_text().replace("drain", "auther"))
    assert reader.restart() == "dual 0 baked"
    reader.cache.unlink()
    assert reader.restart() == "dual 0 baked"


def test_no_place_for_the_copy_is_no_reason_to_stop(reader: Reader) -> None:
    reader.cache.unlink()
    reader.cache.parent.rmdir()
    reader.cache.parent.write_text("a file in the way")
    forward_and_back(reader)


def test_a_new_document_holds_within_five_seconds(club: Club) -> None:
    started_s = time.monotonic()
    club.set_stage(Stage.DRAIN)
    assert time.monotonic() - started_s < 5
    info = club.shim_info()
    assert (info["stage"], info["source"], info["baked"]) == ("drain", "live", "dual")


def test_percent_follows_the_bucket_of_the_browser(club: Club) -> None:
    def button(key: str) -> bool:
        cookies = {"migrator_bucket": key}
        page = httpx.get(f"{club.app.base_url}/users/sign_in", cookies=cookies, headers=NAVIGATION)
        return "Sign in with Auther" in page.text

    keys = [f"browser-{number}" for number in range(40)]
    salt = club.app.stage.document.salt
    club.set_stage(Stage.DUAL, percent=30.0)
    at_30 = {key for key in keys if button(key)}
    assert at_30 == {key for key in keys if bucket(salt, key) < 30_000}
    club.set_stage(Stage.DUAL, percent=60.25)
    at_60 = {key for key in keys if button(key)}
    assert at_60 == {key for key in keys if bucket(salt, key) < 60_250}
    assert at_30 < at_60


def test_a_browser_gets_a_bucket_at_the_login_page_and_keeps_it(club: Club) -> None:
    with club.browser() as client:
        client.get("/", headers=NAVIGATION)
        assert "migrator_bucket" not in client.cookies
        client.get("/users/sign_in", headers=NAVIGATION)
        key = client.cookies["migrator_bucket"]
        client.get("/users/sign_in", headers=NAVIGATION)
        assert client.cookies["migrator_bucket"] == key
