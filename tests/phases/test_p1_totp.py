"""TOTP secrets on their way to the system that will check them, as an operator and a receiver do it."""

from __future__ import annotations

import base64
import hmac
import json
import os
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from phases import p1_import
from tests.cli.command import Ran, migrator
from tests.parts import require
from tests.parts.hpke import open_base
from tests.parts.laravel_site import APP_KEY, OLD_KEY
from tests.phases.importing import OTP_KEY, Site, make_site, oracle
from tests.phases.test_p1_laravel import CONFIG as LARAVEL_CONFIG
from tests.phases.test_p1_laravel import make as make_laravel
from tests.phases.test_p1_laravel import oracle as laravel_oracle

AT_S = 1_700_000_000
DEVISE = '[legacy.totp]\nkind = "devise-two-factor"\nkeys = ["env:OTP_KEY"]\nissuer = "Shop"\n'
FORTIFY = '[legacy.totp]\nkind = "fortify"\nkeys = ["file:app.key", "env:OTP_KEY"]\n'
# The runbook's own lines, and what they take for granted.
RUNBOOK = Path(__file__).parents[2] / "runbooks" / "p1-import.md"
HOW_TO_OPEN = RUNBOOK.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
OPENER: dict[str, object] = {
    **{one.__name__: one for one in (AEAD, KDF, KEM, Suite, Path, load_pem_private_key)},
    "b64decode": base64.b64decode,
    "json": json,
}
HOLDERS = {row["id"]: row["otp_secret"] for row in oracle() if row["otp_secret"]}


class Receiver:
    """Who will check the second factors from now on."""

    def __init__(self, folder: Path) -> None:
        self.key = X25519PrivateKey.generate()
        self.file = folder / "totp.pub"
        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "totp.key").write_bytes(private)
        public = self.key.public_key()
        self.file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def opened(self, path: Path) -> dict[str, dict[str, object]]:
        """Read a file as the runbook describes it: the records by user."""
        head, *lines, tail = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        assert (head["format"], head["version"]) == ("migrator-totp", 1)
        assert tail == {"users": len(lines)}
        return {line["user"]: self.record(line) for line in lines}

    def record(self, line: dict[str, str]) -> dict[str, object]:
        info = f"migrator-totp 1 {line['user']}".encode()
        found = json.loads(open_base(base64.b64decode(line["sealed"]), self.key, info=info))
        assert found["user"] == line["user"]
        return dict(found)


def code(record: dict[str, object]) -> str:
    """RFC 6238, with the parameters of the record."""
    key = base64.b32decode(str(record["secret"]))
    counter = (AT_S // int(str(record["period"]))).to_bytes(8, "big")
    digest = hmac.digest(key, counter, str(record["algorithm"]).lower())
    at = digest[-1] & 0xF
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return str(number)[-int(str(record["digits"])) :].zfill(int(str(record["digits"])))


def rotp(secrets: list[str]) -> list[str]:
    """The codes of the library that the Rails application itself asks."""
    script = 'require "rotp"; require "json"; puts JSON.parse($stdin.read).map { |s| ROTP::TOTP.new(s).at(%d) }'
    done = subprocess.run(
        ["ruby", "-e", script % AT_S],
        input=json.dumps(secrets),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def configure(site: Site, section: str) -> None:
    file = site.root / "migrator.toml"
    file.write_text(file.read_text().replace("[auther]\n", f"{section}[auther]\n", 1))


def export(site: Site, *words: str, key: str = OTP_KEY, out: str = "totp.jsonl") -> Ran:
    arguments = ["import", "export-totp", "--out", out, "--recipient", "totp.pub", *words]
    return migrator(site.root, *arguments, env=dict(os.environ) | {"OTP_KEY": key})


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A migration whose users are imported."""
    made = make_site(tmp_path / "site", devise_db, monkeypatch)
    configure(made, DEVISE)
    p1_import.run(made.ctx)
    return made


def test_the_receiver_computes_the_codes_that_the_application_computes(site: Site) -> None:
    require("rails")
    receiver = Receiver(site.root)
    people = {row["id"]: row for row in oracle()}
    dry = export(site, "--dry-run", "--json")
    assert (dry.code, (site.root / "totp.jsonl").exists()) == (0, False), dry.err
    done = export(site, "--json")
    assert done.code == 0, done.err
    counts = {"read": 600, "exported": len(HOLDERS), "without_factor": 600 - len(HOLDERS)}
    for said in (dry.json, done.json):
        assert {name: said[name] for name in counts} == counts
        assert (said["not_imported"], said["closed"]) == (0, {})

    records = receiver.opened(site.root / "totp.jsonl")
    ids = dict(site.sql("SELECT auther_id, user_pk FROM migrator_identity"))
    assert {ids[user] for user in records} == set(HOLDERS)
    codes = dict(zip(HOLDERS, rotp(list(HOLDERS.values())), strict=True))
    for user, record in records.items():
        assert (record["issuer"], record["account"]) == ("Shop", people[ids[user]]["email"])
        assert code(record) == codes[ids[user]]


def test_nothing_is_left_in_clear_and_the_runbook_says_how_it_opens(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, file = Receiver(site.root), site.root / "totp.jsonl"
    done = export(site, "--json")
    assert file.stat().st_mode & 0o777 == 0o600
    written = file.read_bytes()
    state = (site.root / ".migrator" / "state.db").read_bytes()
    everything = written + state + (done.out + done.err).encode()
    assert not [secret for secret in HOLDERS.values() if secret.encode() in everything]
    assert b"@" not in written
    entry = site.ctx.state.ledger.latest("import", "export-totp", kind="outcome")
    assert entry
    assert entry.body["sha256"] == done.json["sha256"] == sha256(written).hexdigest()

    lines = map(json.loads, written.decode().splitlines())
    first, second = [line for line in lines if "user" in line][:2]
    monkeypatch.chdir(site.root)
    exec(HOW_TO_OPEN, given := {**OPENER, "line": first})
    assert given["record"] == receiver.opened(file)[first["user"]]
    with pytest.raises(InvalidTag):
        receiver.record({**first, "sealed": second["sealed"]})


def test_who_is_left_out_is_counted_by_reason(site: Site) -> None:
    Receiver(site.root)
    set_to = "UPDATE users SET encrypted_otp_secret = {} WHERE id = {}"
    site.sql(set_to.format("NULL", 531))
    site.sql(set_to.format("'no secret at all'", 532))
    site.sql(set_to.format("(SELECT encrypted_otp_secret FROM users WHERE id = 534)", 533))
    site.sql("DELETE FROM migrator_identity WHERE user_pk = '534'")
    done = export(site, "--json")
    assert done.code == 3, done.err
    assert done.json["closed"] == {"no_secret": 1, "malformed": 1, "wrong_key": 1}
    said = done.json
    left_out = said["without_factor"] + said["not_imported"] + sum(said["closed"].values())
    assert (said["not_imported"], said["exported"], said["read"]) == (1, 5, 600)
    assert said["exported"] + left_out == said["read"]
    shown = export(site, "--dry-run").out
    assert "1 users have a secret that no key opens" in shown
    assert "1 users with a second factor are not at Auther" in shown


def test_a_wrong_key_and_a_wrong_recipient_leave_the_older_file(site: Site) -> None:
    receiver = Receiver(site.root)
    assert export(site).code == 0
    before = (site.root / "totp.jsonl").read_bytes()
    wrong = export(site, key="another key")
    assert (wrong.code, "none of 9 secrets opens" in wrong.err) == (1, True)
    receiver.file.write_text("no key")
    other = export(site)
    assert (other.code, "there is no public key in PEM" in other.err) == (2, True)
    receiver.file.unlink()
    assert export(site).code == 2
    assert (site.root / "totp.jsonl").read_bytes() == before
    assert not (site.root / "totp.jsonl.part").exists()


def test_what_laravel_encrypted_arrives_too(
    tmp_path: Path, laravel_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "[legacy.totp]" not in LARAVEL_CONFIG
    site = make_laravel(tmp_path, laravel_db, monkeypatch)
    receiver = Receiver(site.root)
    assert export(site, key=OLD_KEY).code == 2
    configure(site, FORTIFY)
    (site.root / "app.key").write_text(APP_KEY)
    (site.root / "app.key").chmod(0o600)
    early = export(site, key=OLD_KEY)
    assert (early.code, "nobody was imported yet" in early.err) == (5, True)
    p1_import.run(site.ctx)
    done = export(site, "--json", key=OLD_KEY)
    assert (done.code, done.json["closed"]) == (3, {"malformed": 1}), done.err
    ids = dict(site.sql("SELECT auther_id, user_pk FROM migrator_identity"))
    found = {
        ids[user]: r["secret"] for user, r in receiver.opened(site.root / "totp.jsonl").items()
    }
    expected = {p["id"]: p["otp_secret"] for p in laravel_oracle() if p["otp_secret"]}
    assert found == {pk: text for pk, text in expected.items() if text != "undecryptable"}
