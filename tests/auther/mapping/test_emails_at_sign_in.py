"""The rule for addresses is the one that the real better-auth asks its zod at sign-in."""

from __future__ import annotations

import json
import subprocess

import pytest

from migrator.core.emails import auther_accepts
from tests.parts import require
from tests.parts.better_auth.server import ROOT
from tests.phases.importing import oracle

PART = ROOT / "tests" / "parts" / "better_auth"
ASK = """
import { readFileSync } from "node:fs";
import * as z from "zod";
const emails = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(emails.map((e) => z.string().email().safeParse(e).success)));
"""
LOCALS = [
    "a",
    "a.b",
    ".a",
    "a.",
    "a..b",
    "a'b",
    "'",
    "a'",
    "a+b",
    "+",
    "-",
    "a_b",
    "zoë",
    "a b",
    "",
    '"a"',
]
HOSTS = [
    "x.org",
    "x",
    "x.o",
    "x-y.org",
    "-x.org",
    "x-.org",
    "x..org",
    ".org",
    "x.org.",
    "x.c0m",
    "1.2.org",
    "ex_a.org",
    "пример.рф",
]


@pytest.mark.timeout(120)
def test_accepted_here_is_accepted_there() -> None:
    require("node")
    emails = [f"{local}@{host}" for local in LOCALS for host in HOSTS]
    emails += [row["email"].lower() for row in oracle()]
    emails += ["a@b@x.org", "a@x.org\n", "\na@x.org", "a\n@x.org", "a" * 300 + "@x.org", "no-at"]
    ran = subprocess.run(
        ["node", "--input-type=module", "--eval", ASK],
        input=json.dumps(emails), cwd=PART, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    theirs = dict(zip(emails, json.loads(ran.stdout), strict=True))
    assert {email: auther_accepts(email) for email in emails} == theirs
    assert 0 < sum(theirs.values()) < len(emails)
