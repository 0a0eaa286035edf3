"""The stage document: what the shim believes, and what it keeps when there is nothing to believe."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from migrator.core.stage import Stage, bucket
from migrator.shims.document import sign
from tests.parts.rails import NAMESPACE, StageFile
from tests.shims.rails.club import NAVIGATION, Club

READ_S = 2.2


@pytest.fixture
def stage_file(club: Club) -> Iterator[StageFile]:
    """The document in force; whatever a test leaves there is replaced by the next epoch."""
    yield club.app.stage
    club.app.stage.set(Stage.DUAL)
    club.wait_for_epoch(club.app.stage.document.epoch)


def unimpressed(club: Club) -> None:
    before = club.shim_info()
    time.sleep(READ_S)
    after = club.shim_info()
    assert (after["stage"], after["epoch"]) == (before["stage"], before["epoch"])
    assert after["source"] == "cached"


def test_a_new_document_holds_within_five_seconds(club: Club, stage_file: StageFile) -> None:
    stage_file.set(Stage.DRAIN)
    started_s = time.monotonic()
    club.wait_for_epoch(stage_file.document.epoch)
    assert time.monotonic() - started_s < 5
    info = club.shim_info()
    assert (info["stage"], info["source"], info["baked"]) == ("drain", "live", "dual")


def test_a_document_of_another_key(club: Club, stage_file: StageFile, tmp_path: Path) -> None:
    other = StageFile(tmp_path / "other.json")
    next_one = replace(
        stage_file.document, epoch=stage_file.document.epoch + 1, stage=Stage.AUTHER
    )
    stage_file.path.write_text(sign(next_one, other.private_key))
    unimpressed(club)


def test_a_document_that_was_edited(club: Club, stage_file: StageFile) -> None:
    outer = json.loads(stage_file.path.read_text())
    outer["payload"] = outer["payload"].replace('"dual"', '"auther"')
    stage_file.path.write_text(json.dumps(outer))
    unimpressed(club)


@pytest.mark.parametrize("text", ["", "[]", '{"payload": 1, "signature": "x"}', "x" * 100_000])
def test_a_file_that_is_no_document(club: Club, stage_file: StageFile, text: str) -> None:
    stage_file.path.write_text(text)
    unimpressed(club)


def test_an_older_epoch(club: Club, stage_file: StageFile) -> None:
    older = replace(stage_file.document, epoch=stage_file.document.epoch - 1, stage=Stage.LEGACY)
    stage_file.path.write_text(sign(older, stage_file.private_key))
    unimpressed(club)


def test_another_migrations_document(club: Club, stage_file: StageFile) -> None:
    assert stage_file.document.namespace == NAMESPACE
    foreign = replace(
        stage_file.document,
        namespace="other",
        epoch=stage_file.document.epoch + 1,
        stage=Stage.AUTHER,
    )
    stage_file.path.write_text(sign(foreign, stage_file.private_key))
    unimpressed(club)


def test_no_file(club: Club, stage_file: StageFile) -> None:
    stage_file.path.unlink()
    unimpressed(club)


def test_percent_follows_the_bucket_of_the_browser(club: Club, stage_file: StageFile) -> None:
    def button(key: str) -> bool:
        cookies = {"migrator_bucket": key}
        page = httpx.get(f"{club.app.base_url}/users/sign_in", cookies=cookies, headers=NAVIGATION)
        return "Sign in with Auther" in page.text

    keys = [f"browser-{number}" for number in range(40)]
    salt = stage_file.document.salt
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
