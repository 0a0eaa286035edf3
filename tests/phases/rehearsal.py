"""A site on which the runbook of the import is rehearsed: the 600 users, a live Auther, an operator."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
import time
from contextlib import chdir
from dataclasses import dataclass, field
from threading import Timer
from typing import TYPE_CHECKING
from unittest.mock import patch

import psycopg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from migrator.auther.plugin.events import SETTLE_MS
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.auther.plugin.visitor import Visitor, admin, mails
from tests.parts.better_auth import BetterAuth, Client, log_in
from tests.parts.postgres import free_port
from tests.phases.importing import OTP_KEY, PEPPER, PEPPER_ID, oracle
from tests.phases.operating import interrupt_after, typed
from tests.phases.runbook import Scene, Settings, Step, Typed, insist, with_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Longer than the migrator waits for an Auther that is away.
TIMEOUT_S = 180
CANARIES = ("1", "2", "8")
OPERATOR = {"email": "operator@example.com", "password": "the operator's word"}
BOSS = "the administrator's word"
APP = Client("shop", ("https://shop.example.org/auth/callback",), row=False)
MANY, FEW = range(2, 31), range(40, 43)
SECRETS = {"DEVISE_PEPPER": PEPPER, "OTP_SECRET_ENCRYPTION_KEY": OTP_KEY}
INIT = "migrator init --name shop --verified-when confirmed"
SITE = f"""
[legacy]
identities_table = "public.identities"
peppers = [{{ id = "{PEPPER_ID}", value = "env:DEVISE_PEPPER" }}]
"""
# The runbook lets it take half a minute.
SHORTER = {"auther capacity": ("--seconds", "3")}


@dataclass
class Rehearsal:
    """One operator with a runbook.

    Attributes:
        root: The folder in which everybody has theirs.
        start: Starts Auther.
        words: The passwords that people have now, by legacy key.
    """

    root: Path
    dsn: str
    start: Callable[..., BetterAuth]
    settings: str = ""
    said: str = ""
    port: int = field(default_factory=free_port)
    auther: BetterAuth | None = None
    words: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the operator types."""
        return self.root / "migration"

    @property
    def database(self) -> Path:
        """Auther's."""
        return self.folder / "auther.db"

    def begin(self) -> None:
        """Be where phase 0 ends."""
        self.folder.mkdir()
        (self.root / "safe").mkdir()
        self.words = {row["id"]: row["plaintext_password"] for row in oracle()}
        self.play(Typed(INIT, 0, (), 0))
        self.configure(SITE)

    def configure(self, block: str) -> None:
        """Type settings into migrator.toml."""
        block = block.replace("https://auther.example.org", f"http://127.0.0.1:{self.port}")
        file = self.folder / "migrator.toml"
        file.write_text(with_settings(file.read_text(encoding="utf-8"), block), encoding="utf-8")

    def play(self, step: Step) -> None:
        """Do a step, and insist on what the page says of it."""
        match step:
            case Settings():
                self.settings = step.text
            case Scene():
                SCENES[step.name](self)
            case Typed():
                code, self.said = self._type(step)
                insist(step, code, self.said)

    def _type(self, step: Typed) -> tuple[int, str]:
        program, *words = self._words(step.text)
        environment = {"LEGACY_DATABASE_URL": self.dsn} | SECRETS
        if program == "migrator" and not step.goes_on:
            with chdir(self.folder), patch.dict(os.environ, environment):
                return typed(words, answer="")
        python = [sys.executable, "-m"] if program == "migrator" else []
        process = subprocess.Popen(
            [*python, program, *words],
            cwd=self.folder,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        timer = Timer(TIMEOUT_S, process.kill)
        timer.start()
        with process:
            said = interrupt_after(process, step.says[0]) if step.goes_on else ""
            said += process.communicate()[0]
        timer.cancel()
        return process.returncode, said

    def _words(self, text: str) -> list[str]:
        if "HASH" in text:
            found = re.search(r"--release-brake (\w+)", self.said)
            assert found is not None, self.said
            text = text.replace("HASH", found[1])
        program, *words = shlex.split(text)
        if program != "migrator":
            return [program, *words]
        return [program, *words, *SHORTER.get(" ".join(words[:2]), ())]

    def sql(self, query: str, *values: object) -> None:
        """Change the application's database."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(query.encode(), values or None)

    def running(self) -> BetterAuth:
        """Auther, which has been started."""
        assert self.auther is not None
        return self.auther


def _start(site: Rehearsal, *clients: Client) -> None:
    """Start Auther anew, with the environment file that the migrator wrote."""
    if site.auther is not None:
        site.auther.stop()
    lines = (site.folder / "auther.env").read_text(encoding="utf-8").splitlines()
    variables = dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    site.auther = site.start(
        site.database,
        port=site.port,
        clients=clients,
        env={name: value.strip("'") for name, value in variables.items()}
        | {"PLUGIN_DATABASE": "1"},
        behaviour={"mailFile": str(site.root / "mails.jsonl"), "linking": False},
    )


def _private_csv(path: Path, *rows: tuple[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("email", "password"), *rows])
    path.chmod(0o600)


def _canaries(site: Rehearsal) -> None:
    known = {row["id"]: (row["email"], row["plaintext_password"]) for row in oracle()}
    _private_csv(site.folder / "canaries.csv", *(known[pk] for pk in CANARIES))


def _with_plugin(site: Rehearsal) -> None:
    written = site.root / "auther" / "src" / "lib" / "legacy-passwords.ts"
    assert written.stat().st_size > 0
    _start(site)


def _operator(site: Rehearsal) -> None:
    auther = site.running()
    auther.request("POST", "/api/auth/sign-up/email", json=OPERATOR | {"name": "An Operator"})
    (mail,) = mails(site.root / "mails.jsonl", "verify")
    assert auther.request("GET", mail["url"].removeprefix(auther.base_url)).is_redirect
    _private_csv(site.folder / "operator.csv", (OPERATOR["email"], OPERATOR["password"]))


def _resolutions(site: Rehearsal) -> None:
    file = site.folder / ".migrator" / "resolutions.toml"
    for entry in re.findall(r"^\[.+\]$", site.settings, re.MULTILINE):
        assert f"#? {entry}" in file.read_text(encoding="utf-8").splitlines(), entry
    file.write_text(site.settings + "\n", encoding="utf-8")


def _sign_in(site: Rehearsal) -> None:
    for _ in range(2):
        assert log_in(site.running(), APP, "member1@example.org", site.words["1"]).id_token


def _new_password(site: Rehearsal) -> None:
    word = site.words["1"] + " anew"
    visitor = Visitor(site.running(), "member1@example.org", site.words["1"])
    visitor.post("change-password", currentPassword=site.words["1"], newPassword=word)
    site.words["1"] = word
    # Until then the change is held back: one that began before it may still come.
    time.sleep(2 * SETTLE_MS / 1000)


def _receiver(site: Rehearsal) -> None:
    public = X25519PrivateKey.generate().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (site.folder / "totp.pub").write_bytes(pem)


def _rename(site: Rehearsal) -> None:
    site.sql(
        "UPDATE users SET name = 'A New Name', updated_at = now() AT TIME ZONE 'UTC' WHERE id = 9"
    )


def _vanish(site: Rehearsal, pks: range) -> None:
    """Delete rows as somebody does who knows the database: nothing that refers to them objects."""
    listed = ", ".join(map(str, pks))
    site.sql("DROP TABLE IF EXISTS kept")
    site.sql(f"CREATE TABLE kept AS SELECT * FROM users WHERE id IN ({listed})")
    site.sql(f"SET session_replication_role = replica; DELETE FROM users WHERE id IN ({listed})")


def _come_back(site: Rehearsal) -> None:
    site.sql("INSERT INTO users SELECT * FROM kept")


def _removed_there(site: Rehearsal) -> None:
    users = Users(site.database)
    boss = admin(site.running(), users, bcrypt_envelope(BOSS), BOSS)
    (row,) = users.rows("SELECT id FROM user WHERE email = 'member1@example.org'")
    boss.post("admin/remove-user", userId=row["id"])


SCENES: dict[str, Callable[[Rehearsal], None]] = {
    "canaries": _canaries,
    "Auther with the plugin": _with_plugin,
    "settings": lambda site: site.configure(site.settings),
    "trusted client": lambda site: _start(site, APP),
    "operator": _operator,
    "resolutions": _resolutions,
    "sign in as a canary": _sign_in,
    "a name changes in the application": _rename,
    "29 users vanish": lambda site: _vanish(site, MANY),
    "they come back": _come_back,
    "3 users vanish": lambda site: _vanish(site, FEW),
    "a canary changes the password at Auther": _new_password,
    "a canary changes the password at Auther again": _new_password,
    "the receiver's public key": _receiver,
    "they are removed at Auther": _removed_there,
}
