"""The stage as the running application sees it, and the login button that follows it."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrator.conformance.signing_keys import SigningKey, b64url
from migrator.core.stage import Stage, bucket
from migrator.shims.document import sign
from tests.parts.stage_file import StageFile
from tests.shims.asgi.club import BOB, Club
from tests.shims.asgi.package import Package

A_GLANCE_S = 0.4  # a few times what this application's shim waits between two looks


def spoilt(club: Club, how: str) -> str:
    stage = club.app.stage
    later = replace(stage.document, epoch=stage.document.epoch + 1, stage=Stage.AUTHER)
    thief = b64url(SigningKey().private.private_bytes_raw())
    outer = json.loads(sign(later, stage.private_key))
    edited = outer | {"payload": outer["payload"].replace('"auther"', '"legacy"')}
    return {
        "forged": sign(later, thief),
        "edited": json.dumps(edited),
        "of an older epoch": sign(
            replace(later, epoch=stage.document.epoch - 1), stage.private_key
        ),
        "of the same epoch with other content": sign(
            replace(later, epoch=stage.document.epoch), stage.private_key
        ),
        "of another migration": sign(replace(later, namespace="shop"), stage.private_key),
        "of another version": sign(replace(later, version=2), stage.private_key),
        "cut off": sign(later, stage.private_key)[:60],
        "not JSON": "stage=auther",
        "a list": "[]",
        "empty": "",
    }[how]


@pytest.mark.parametrize(
    "how",
    [
        "forged",
        "edited",
        "of an older epoch",
        "of the same epoch with other content",
        "of another migration",
        "of another version",
        "cut off",
        "not JSON",
        "a list",
        "empty",
    ],
)
def test_a_document_that_is_not_the_next_one_changes_nothing(club: Club, how: str) -> None:
    club.set_stage(Stage.DUAL, percent=10)
    good = club.app.stage.path.read_text()

    club.app.stage.path.write_text(spoilt(club, how))
    time.sleep(A_GLANCE_S)

    assert club.browser(signed_in=BOB).get("/me").status_code == 200
    assert club.shim_info()["stage"] == "dual"
    assert club.shim_info()["epoch"] == str(club.app.stage.document.epoch)
    club.app.stage.path.write_text(good)


def test_without_the_file_the_last_good_document_holds(club: Club) -> None:
    club.set_stage(Stage.DRAIN)
    text = club.app.stage.path.read_text()
    club.app.stage.path.unlink()
    club.wait_for(lambda: club.shim_info()["source"] == "cached")
    assert club.shim_info()["stage"] == "drain"

    club.app.stop()
    club.app.start()

    assert (club.shim_info()["stage"], club.shim_info()["source"]) == ("drain", "cached")
    club.app.stage.path.write_text(text)
    club.wait_for(lambda: club.shim_info()["source"] == "live")


def reader(package: Package, **paths: Path) -> Any:
    found = {name: str(path) for name, path in paths.items()}
    return package.module("stage").StageReader(package.settings, **{"cache": "", **found})


def stage_of(package: Package) -> StageFile:
    assert package.stage is not None
    return package.stage


def test_with_nothing_live_nor_cached_the_baked_stage_holds(
    package: Package, tmp_path: Path
) -> None:
    view = reader(package, file=tmp_path / "none", cache=tmp_path / "none").now()

    assert (view.stage, view.percent, view.origin) == ("dual", 0.0, "baked")


def test_a_build_for_drain_does_not_guess(package: Package, tmp_path: Path) -> None:
    late = replace(package.settings, baked_stage="drain")
    made = package.module("stage").StageReader(late, file=str(tmp_path / "none"), cache="")
    with pytest.raises(package.module("model").VerificationUnavailableError):
        made.now()


def test_a_spoilt_cache_is_not_taken_for_no_cache(package: Package, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    cache.write_text("{}")
    with pytest.raises(package.module("model").VerificationUnavailableError):
        reader(package, file=tmp_path / "none", cache=cache).now()


def test_an_older_document_is_refused_after_a_restart_too(
    package: Package, tmp_path: Path
) -> None:
    stage, cache = stage_of(package), tmp_path / "cache.json"
    stage.set(Stage.LEGACY)
    older = stage.path.read_text()
    stage.set(Stage.DRAIN)
    assert reader(package, file=stage.path, cache=cache).now().stage == "drain"

    stage.path.write_text(older)

    view = reader(package, file=stage.path, cache=cache).now()
    assert (view.stage, view.origin) == ("drain", "cached")


def test_a_lagging_worker_does_not_put_an_older_document_into_the_cache(
    package: Package, tmp_path: Path
) -> None:
    stage, cache = stage_of(package), tmp_path / "cache.json"
    stage.set(Stage.LEGACY)
    lagging_file = tmp_path / "lagging.json"
    lagging_file.write_text(stage.path.read_text())
    lagging = reader(package, file=lagging_file, cache=cache)
    stage.set(Stage.DRAIN)
    reader(package, file=stage.path, cache=cache).now()

    lagging.now()

    assert reader(package, file=tmp_path / "none", cache=cache).now().stage == "drain"


def test_a_full_disk_does_not_keep_the_stage_from_moving(package: Package, tmp_path: Path) -> None:
    stage = stage_of(package)
    stage.set(Stage.DRAIN)
    view = reader(package, file=stage.path, cache=tmp_path / "no" / "such" / "folder").now()

    assert view.stage == "drain"


# The login button


def test_shares_of_a_hundredth_of_a_percent_are_exact(package: Package) -> None:
    view = package.module("stage").StageView("dual", 0.07, "5a17", 1, False, None, "live")
    package_stage = package.module("model").Stage.DUAL
    view = replace(view, stage=package_stage)
    keys = [f"browser-{n}" for n in range(200_000)]
    sent = [key for key in keys if view.sends_to_auther(key)]

    assert sent == [key for key in keys if bucket("5a17", key) < 70]
    assert sent
