"""The receipt as a page: everything said, nothing of it taken for markup."""

from __future__ import annotations

import json
from dataclasses import replace

from migrator.dashboards.receipt_page import (
    ArchiveKept,
    Consent,
    HeldUntil,
    Receipt,
    StepDone,
    TableKept,
    render,
    to_json,
)

AT = "2026-11-23T03:00:00.000000Z"
RECEIPT = Receipt(
    migration="shop",
    at=AT,
    plan_id="1234",
    plan_hash="a" * 64,
    database="<shop>",
    whole=True,
    tables=("public.identities",),
    users="public.users",
    columns=("encrypted_password",),
    steps=(StepDone("09_purge_tables", AT, ("quiet PASSED (entry 7)",), 12),),
    consents=(Consent("remove apply", "approval", ("alice", "bob"), "me@host", AT),),
    archives=(
        ArchiveKept(
            "06_archive_tables",
            "/archive",
            "b" * 64,
            ("age1xyz",),
            (TableKept("public.identities", 1048, "c" * 64, AT, 2, ("its <owner>",)),),
        ),
    ),
    held=(HeldUntil("backups", "unknown", "[remove] backups_kept_for is not set"),),
    exceptions=("no password",),
    commands=("migrator remove revert",),
    ledger_head=("d" * 64, 40),
)


def test_the_page_says_all_of_it_and_escapes_it() -> None:
    page = render(RECEIPT)
    for said in (
        "&lt;shop&gt;",
        "its &lt;owner&gt;",
        "a" * 64,
        "b" * 64,
        "c" * 64,
        "1,048",
        "alice, bob",
        "age1xyz",
    ):
        assert said in page
    for said in ("quiet PASSED (entry 7)", "unknown", "no password", "migrator remove revert"):
        assert said in page
    assert "Every step of the plan is applied." in page
    assert "<script" not in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_what_is_not_there_is_said_too() -> None:
    bare = replace(
        RECEIPT, whole=False, tables=(), columns=(), consents=(), archives=(), exceptions=()
    )
    page = render(bare)
    assert "The plan is not applied to its end." in page
    assert "nothing yet" in page
    assert "none recorded" in page
    open_archive = replace(RECEIPT.archives[0], recipients=())
    assert "not encrypted" in render(replace(RECEIPT, archives=(open_archive,)))


def test_as_data_it_says_the_same() -> None:
    data = json.loads(to_json(RECEIPT))
    assert data["archives"][0]["tables"][0]["rows"] == 1048
    assert data["ledger_head"] == ["d" * 64, 40]
