"""The story: phases 0 to 4, one rollback on the way, one removal taken back."""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.demo import people
from tests.demo.auther import CLIENT_ID, Auther, start_auther
from tests.demo.browsers import Traffic
from tests.demo.processes import Instance
from tests.demo.workspace import ROOT, UnexpectedError, Workspace
from tests.parts.postgres import embedded_binaries, free_port, start_postgres

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.demo.people import Person

PEPPER_ID = "current"
SEED = 7
# What days and weeks are in a real migration.
SHORT = (
    (r'^interval = "1h"\n', ""),
    (r'^span = "(24h|7d|15m)"', 'span = "3s"\ninterval = "1s"'),
    (r"^consecutive = 12", "consecutive = 3"),
    # Once there was traffic, a second without any on a busy machine is no breach.
    (r"^at_least = 10", "at_least = 1\nleave_below = 0"),
    (r"^at_most = 60", "at_most = 600"),
    # There are no weeks before.
    (r'^\[\[gates\]\]\nname = "(dual|drain)-sign-ins"\n(.+\n)+', ""),
)


@dataclass
class Story:
    """What the chapters share."""

    stack: ExitStack
    pepper: str = field(default_factory=lambda: secrets.token_hex(64))
    workspace: Workspace = field(init=False)
    known: list[Person] = field(init=False)
    instances: list[Instance] = field(init=False)
    auther: Auther = field(init=False)
    traffic: Traffic = field(init=False)
    dsn: str = field(init=False)

    def __post_init__(self) -> None:
        server = start_postgres(embedded_binaries())
        self.stack.callback(server.stop)
        self.dsn = server.create_database("shop")
        self.auther_port = free_port()
        env = {
            "LEGACY_DATABASE_URL": self.dsn,
            "DEVISE_PEPPER": self.pepper,
            "MIGRATOR_METRICS_TOKEN": secrets.token_urlsafe(24),
            "MIGRATOR_CONTROL_SECRET": secrets.token_urlsafe(32),
            "MIGRATOR_COOKIE_SECRET": secrets.token_urlsafe(32),
        }
        self.workspace = Workspace(env)
        self.workspace.clear()
        self.instances = [self._instance(name) for name in ("shop-1", "shop-2")]

    def _instance(self, name: str) -> Instance:
        root, env = self.workspace.root, self.workspace.env
        settings = {
            "DEMO_SHIM": str(root / "shim"),
            "DEMO_DATABASE_URL": self.dsn,
            "DEMO_PEPPER": self.pepper,
            "DEMO_LEGACY_CODE": "1",
            "MIGRATOR_STAGE_FILE": str(root / ".migrator/stage.json"),
            "MIGRATOR_STAGE_CACHE": str(root / f"{name}.stage-cache.json"),
        }
        names = ("MIGRATOR_METRICS_TOKEN", "MIGRATOR_CONTROL_SECRET", "MIGRATOR_COOKIE_SECRET")
        tokens = {key: env[key] for key in names}
        environment = os.environ | settings | tokens | {"MIGRATOR_INSTANCE": name}
        return Instance(folder=ROOT, environment=environment, log_path=root / f"{name}.log")

    def legacy_application(self) -> None:
        """Make the application's database and the operator's configuration."""
        ws = self.workspace
        ws.chapter("A Rails + Devise application: 10,000 users, live sessions")
        self.known = people.fill(self.dsn, pepper=self.pepper)
        ws.say(
            f"{people.USERS:,} users, {people.LIVE_SESSIONS} signed-in sessions, "
            f"{people.ANONYMOUS_SESSIONS} anonymous ones in activerecord-session_store's form"
        )
        ws.migrator("init", "--name", "shop", "--verified-when", "confirmed")
        base, (first, second) = f"http://127.0.0.1:{self.auther_port}", self.instances
        ws.edit_config(
            ('identities_table = ""', 'identities_table = "public.identities"'),
            (
                "[auther]",
                f'[[legacy.peppers]]\nid = "{PEPPER_ID}"\nvalue = "env:DEVISE_PEPPER"\n\n[auther]',
            ),
            ('base_url = ""', f'base_url = "{base}"'),
            ("issuers = []", f'issuers = ["{base}"]'),
            ("audiences = []", f'audiences = ["{CLIENT_ID}"]'),
            ('client_id = ""', f'client_id = "{CLIENT_ID}"'),
            ('soft_deleted = "ban"', 'soft_deleted = "reject"'),
            ("expected_instances = 1", 'expected_instances = ["shop-1", "shop-2"]'),
            ('redirect_uri = ""', f'redirect_uri = "{first.base_url}/auth/callback"'),
            ("shims = []", f'shims = ["{first.base_url}", "{second.base_url}"]'),
            ('interval = "30s"', 'interval = "1s"'),
            ('health_window = "5m"', 'health_window = "3s"'),
            ('tables = "usual"', 'tables = ["public.identities"]'),
            ('quiet_for = "7d"', 'quiet_for = "0s"'),
            (
                "acknowledged = []",
                'acknowledged = ["scream_window", "lockout", "second_factors", "code_first"]',
            ),
        )
        ws.shorten_gates(SHORT)
        ws.drop_gates("shadow")
        ws.say("left out: the gate `shadow`, since the demo's shim has no shadow check")

    def preflight(self) -> None:
        """Phase 0."""
        self.workspace.chapter("p0 preflight: what is there, on both sides")
        self._write_canaries()
        self.workspace.migrator("preflight", "--canaries", "canaries.csv")

    def import_users(self) -> None:
        """Phase 1."""
        ws = self.workspace
        ws.chapter("p1 import: users with their passwords into Auther, proven")
        ws.migrator("import", "plan")
        ws.migrator("import", "run", expect=3)
        ws.say("held: some users cannot be imported; their reasons are in .migrator/rejects.jsonl")
        ws.migrator("import", "run", "--accept-rejects")
        ws.migrator("import", "verify")
        ws.migrator("import", "prove", "canaries.csv")
        ws.migrator("import", "sync")
        ws.migrator("import", "plugin", "--out", "plugin", "--env-file", "auther.env")
        redirect = f"{self.instances[0].base_url}/auth/callback"
        self.auther = start_auther(
            ws.root / "auther.db",
            port=self.auther_port,
            redirect_uri=redirect,
            environment=ws.root / "auther.env",
            peppers={PEPPER_ID: self.pepper},
        )
        self.stack.callback(self.auther.stop)
        ws.say(f"Auther runs on the imported file: {self.auther.name}")
        self._stand_up()
        for person in self.known[:3]:
            if self.auther.log_in(person.email, person.password.plain) is None:
                raise UnexpectedError("an imported user cannot sign in at Auther")
            if self.auther.log_in(person.email, person.password.plain + "x") is not None:
                raise UnexpectedError("a wrong password signs in at Auther")
        ws.say("3 imported users signed in at Auther with their old passwords, and with no other")

    def _stand_up(self) -> None:
        """Make the application's client, and look whether Auther is ready for the cutover."""
        ws = self.workspace
        if self.auther.is_real:
            ws.migrator("auther", "client", "ensure", "--canary", "canaries.csv")
            ws.migrator("auther", "doctor", "--canary", "canaries.csv")
            ws.edit_config(("# peak_sign_ins_per_s = 2.5", "peak_sign_ins_per_s = 0.1"))
            measuring = ("--canary", "canaries.csv", "--seconds", "3", "--through", "verify")
            ws.migrator("auther", "capacity", *measuring)
            return
        ws.drop_gates("login-capacity", "write-back-lag", "drain-write-back")
        ws.say(
            "left out: gates about capacity and write-back, which need an Auther with the plugin"
        )
        ws.say("the small issuer has no pages: the application is said to provide them")
        ws.edit_config(
            ('sign_up_url = ""', 'sign_up_url = "http://127.0.0.1/register"'),
            ('forgot_password_url = ""', 'forgot_password_url = "http://127.0.0.1/password"'),
            ("# links_accounts = false", "links_accounts = false"),
        )

    def dual_path(self) -> None:
        """Phase 2, with a rollback on the way."""
        ws = self.workspace
        ws.chapter("p2 dual path: both credentials accepted, the login moves by a switch")
        ws.migrator("dual-path", "generate", "--target", "asgi", "--out", "shim")
        for instance in self.instances:
            instance.start()
            self.stack.callback(instance.stop)
        addresses = [instance.base_url for instance in self.instances]
        self.traffic = self.stack.enter_context(
            Traffic(addresses, self.auther, self.known[:40], seed=SEED)
        )
        time.sleep(1)
        ws.migrator("gate", "check", "--before", "dual")
        ws.migrator("dual-path", "stage", "set", "dual", "--percent", "30")
        self._watch_traffic(2)
        ws.migrator("dual-path", "stage", "rollback")
        ws.say("back on the legacy login; nobody was signed out: Auther's tokens stay valid")
        self._watch_traffic(1)
        ws.migrator("dual-path", "stage", "set", "dual", "--percent", "30")
        ws.migrator("dual-path", "stage", "set", "dual", "--percent", "100")
        self._watch_traffic(2)
        self._write_back()
        ws.migrator("gate", "check", "--before", "drain", "--wait", "--for", "60s")
        ws.migrator("dual-path", "stage", "set", "drain")
        ws.migrator("dual-path", "stage", "show")

    def drain(self) -> None:
        """Phase 3: a gate that holds for want of data, and then passes."""
        ws = self.workspace
        ws.chapter("p3 drain: who is still on the legacy path, and whether the next step is safe")
        ws.migrator("drain", "status")
        self._acknowledge_pinned_users()
        self._expire_legacy_sessions()
        self.traffic.pause()
        self.instances[1].stop()
        ws.say(
            "shop-2 was killed: its counters are gone, and the gate must not take that for quiet"
        )
        ws.migrator("gate", "check", "--before", "auther", expect=3)
        self.instances[1].start()
        self.traffic.resume()
        self._watch_traffic(3)
        self._write_back()
        ws.migrator("gate", "check", "--before", "auther", "--wait", "--for", "90s")
        ws.say(
            "a build falls back to its baked stage, so first one that is baked at drain is deployed"
        )
        self._deploy(build="2")
        ws.migrator("dual-path", "stage", "set", "auther")

    def remove(self) -> None:
        """Phase 4, taken back once."""
        ws = self.workspace
        ws.chapter("p4 remove: the legacy auth tables and columns go, and come back once")
        ws.say("code first: the application restarts in a build that no longer reads passwords")
        self._deploy(build="3", DEMO_LEGACY_CODE="0")
        made = ws.migrator("remove", "keygen", "--out", "archive.key", "--json")
        ws.say("the archive keeps the passwords here, so that the way back brings them too")
        ws.edit_config(
            ("recipients = []", f'recipients = ["{json.loads(made)["recipient"]}"]'),
            ('# identity = "file:archive.key"', 'identity = "file:archive.key"'),
            ("include_secrets = false", "include_secrets = true"),
        )
        ws.migrator("remove", "plan")
        ws.migrator("remove", "apply", expect=3)
        ws.migrator("gate", "check", "--before", "remove", "--wait", "--for", "90s")
        ws.say("nobody has an approver's key here, so the plan's id is typed a second time")
        ws.migrator("remove", "apply", "--confirm", self._plan_id())
        ws.migrator("remove", "status")
        self._watch_traffic(1)
        ws.migrator("remove", "revert")
        ws.say(f"back: {self._count_identities()} identities, and the passwords")
        ws.say("the tables have new OIDs now, so the old plan is void and a new one is made")
        ws.migrator("remove", "plan", quiet=True)
        ws.migrator("gate", "check", "--before", "remove", "--wait", "--for", "90s", quiet=True)
        ws.migrator("remove", "apply", "--confirm", self._plan_id(), quiet=True)
        ws.migrator("remove", "verify")

    def end(self) -> None:
        """What is left, and what was simulated."""
        ws = self.workspace
        ws.chapter("The end")
        ws.migrator("status")
        ws.migrator("ledger", "verify")
        seen = self.traffic.seen
        print(
            "\nTraffic: " + ", ".join(f"{name} {count:,}" for name, count in sorted(seen.items()))
        )
        if self.traffic.lost:
            refused = "\n  ".join(self.traffic.lost)
            raise UnexpectedError(f"people were refused who should not have been:\n  {refused}")

    def _write_back(self) -> None:
        """Bring back what people changed at Auther, as `--watch` does all the time."""
        if self.auther.is_real:
            self.workspace.migrator("import", "write-back")

    def _acknowledge_pinned_users(self) -> None:
        """Look at the list of those who lose access, and take that upon oneself."""
        shown = self.workspace.migrator("gate", "acknowledge", expect=3)
        list_hash = shown.rstrip().rpartition("--hash ")[2]
        self.workspace.migrator("gate", "acknowledge", "--hash", list_hash)

    def _deploy(self, *, build: str, **env: str) -> None:
        """Generate the shim anew and restart the instances with it."""
        before = str(int(build) - 1)
        self.workspace.edit_config((f'build = "{before}"', f'build = "{build}"'))
        generate = ("dual-path", "generate", "--target", "asgi", "--out", "shim")
        self.workspace.migrator(*generate, quiet=True)
        self.traffic.pause()
        for instance in self.instances:
            instance.stop()
            instance.environment |= env
            instance.start()
        self.traffic.resume()

    def _write_canaries(self) -> None:
        path = self.workspace.root / "canaries.csv"
        path.touch(mode=0o600)
        rows = [f"{person.email},{person.password.plain}" for person in self.known[-20:]]
        path.write_text("\n".join(["email,password", *rows]) + "\n", encoding="utf-8")

    def _watch_traffic(self, seconds: float) -> None:
        before = self.traffic.seen.copy()
        time.sleep(seconds)
        seen = self.traffic.seen - before
        said = ", ".join(f"{name} {count}" for name, count in sorted(seen.items()))
        said += f", {len(self.traffic.lost)} wrongly refused" if self.traffic.lost else ""
        self.workspace.say(f"{seconds:.0f} s of traffic: {said or 'nobody'}")

    def _expire_legacy_sessions(self) -> None:
        """End the remaining legacy sessions, as weeks of waiting would."""
        self.workspace.say("simulated: weeks go by and the remaining legacy sessions expire")
        self.traffic.pause()
        with psycopg.connect(self.dsn) as connection:
            connection.execute(people.SQL["expire_sessions"], {"rows": 100_000})
            # Visitors still come: a table that nobody writes to any more proves nothing.
            connection.execute(people.SQL["insert_session"], people.rails_session(None, "")[1])
        self.traffic.legacy_sessions_expired()
        self.traffic.resume()
        self._watch_traffic(3)

    def _plan_id(self) -> str:
        plan = self.workspace.root / ".migrator" / "remove" / "plan.json"
        return str(json.loads(plan.read_text(encoding="utf-8"))["plan_id"])

    def _count_identities(self) -> int:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute("SELECT count(*) FROM identities").fetchone()
        return int(row[0]) if row else 0
