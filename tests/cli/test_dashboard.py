"""The real command: what it serves, to whom, and how it ends."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx
import pytest

from migrator.cli.main import cli
from migrator.core.errors import ConflictError, UsageError
from phases import p3_drain
from tests.parts.drain import NO_SESSIONS, QUIET, Drain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = {"PAGE_TOKEN": "a-token-of-the-tests-for-a-page"}
PATIENCE_S = 40


@pytest.fixture
def drain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drain:
    """A drain whose sources are all away; the page has to do with what is in the state."""
    made = Drain(tmp_path, "postgresql://nobody:hunter2@127.0.0.1:9/none", ())
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    made.configure(QUIET + NO_SESSIONS)
    made.context()
    return made


@dataclass(frozen=True)
class Served:
    """A running `migrator dashboard`."""

    process: subprocess.Popen[str]
    address: str

    def page(self, **headers: str) -> httpx.Response:
        return httpx.get(self.address, headers=headers)

    def until(self, wanted: str) -> str:
        """Reload until the page says something."""
        ends, html = time.monotonic() + PATIENCE_S, ""
        while wanted not in html:
            assert time.monotonic() < ends, html
            time.sleep(0.2)
            html = self.page().text
        return html


@contextmanager
def served(drain: Drain, *options: str, **env: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "migrator", "dashboard", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(
        command,
        cwd=drain.root,
        env=os.environ | drain.env | env,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.match(r"(http://\S+) shows the cutover", line)
        assert found, line + process.stderr.read()
        try:
            yield Served(process, found[1])
        finally:
            process.kill()


def test_it_shows_what_the_watch_measured_loses_the_state_finds_it_again_and_ends_at_once(
    drain: Drain,
) -> None:
    with served(drain) as page:
        assert "Nobody has looked yet." in page.page().text
        ctx = drain.context()
        p3_drain.watch(ctx, p3_drain.plan(ctx, step="auther"))
        html = page.until("does not answer")
        assert "hunter2" not in html
        assert "Not known" in html
        file = drain.root / ".migrator" / "state.db"
        away = file.rename(drain.root / "away.db")
        assert "unable to open database file" in page.until("The state cannot be read since")
        away.rename(file)
        page.until("Next command")
        with httpx.stream("GET", f"{page.address}events", timeout=PATIENCE_S) as stream:
            assert next(stream.iter_lines()) == "event: parts"
            page.process.send_signal(signal.SIGINT)
            assert page.process.wait(20) == 0


def test_with_measure_it_takes_the_samples_and_no_second_watch_may(drain: Drain) -> None:
    with served(drain, "--measure", "--before", "auther") as page:
        assert "this server does: it takes the gates" in page.until("does not answer")
        with pytest.raises(ConflictError, match="is working on the watch"):
            p3_drain.only_watch(drain.context()).__enter__()
        page.process.send_signal(signal.SIGTERM)
        page.process.wait(20)
    state = drain.context().state
    assert state.samples.of("quiet")
    assert state.locks.holder("watch") is None


def test_whoever_comes_without_the_token_or_by_another_name_is_refused(drain: Drain) -> None:
    with served(drain, "--token", "env:PAGE_TOKEN", "--host", "page.example", **TOKEN) as page:
        known = {"Authorization": f"Bearer {TOKEN['PAGE_TOKEN']}"}
        assert page.page().status_code == 401
        assert page.page(**known).status_code == 200
        assert page.page(**known, Host="page.example").status_code == 200
        assert page.page(**known, Host="other.example").status_code == 421


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "0.0.0.0:0"], "a token is needed"),
        (["--listen", "[::]:0", "--token", "env:PAGE_TOKEN"], "fewer than 20 characters"),
        (["--token", "env:NO_SUCH_TOKEN"], "is empty or not set"),
        (["--token", "a-token-on-the-command-line"], "never in the file itself"),
    ],
)
def test_a_token_that_protects_nothing_is_a_usage_error(
    drain: Drain, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.setenv("PAGE_TOKEN", "short")
    with pytest.raises(UsageError, match=said) as refused:
        cli.main([*config(drain), "dashboard", *options], standalone_mode=False)
    assert "a-token-on" not in str(refused.value)


def config(drain: Drain) -> list[str]:
    return ["--config", str(drain.root / "migrator.toml")]


def test_a_report_is_one_file_with_its_hashes(
    drain: Drain, capsys: pytest.CaptureFixture[str]
) -> None:
    ctx, report = drain.context(), drain.root / "report.html"
    p3_drain.run(ctx, p3_drain.plan(ctx, step="auther"))
    wanted = ["--save", str(report), "--before", "auther", "--approver", "Ann (owner)"]
    capsys.readouterr()
    cli.main([*config(drain), "dashboard", *wanted], standalone_mode=False)
    html = report.read_text()
    first, evidence, file = capsys.readouterr().out.splitlines()
    assert first == f"{report}: HELD before auther"
    assert evidence.removeprefix("evidence ") in html
    assert file == f"file     {sha256(html.encode()).hexdigest()}"
    assert "Ann (owner)" in html
    assert "migrator dual-path stage set auther" in html


def test_a_watch_on_a_terminal_draws_fits_and_leaves_the_last_view(drain: Drain) -> None:
    seen, code = watched(drain, TERM="xterm", NO_COLOR="1")
    assert code == 3
    assert "\x1b[?1049h" in seen
    after = seen.rpartition("\x1b[?1049l")[2]
    lines = [line for line in re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", after).splitlines() if line]
    assert any("gates before auther" in line for line in lines)
    assert "stopped; samples and verdicts so far are kept" in after
    assert max(map(len, lines)) <= 80
    assert "\x1b[3" not in seen


def test_a_watch_on_a_dumb_terminal_prints_plain_lines(drain: Drain) -> None:
    seen, code = watched(drain, TERM="dumb")
    assert (code, "\x1b" in seen) == (3, False)
    assert "quiet HELD" in seen


def watched(drain: Drain, **env: str) -> tuple[str, int]:
    """Watch in a terminal of 80 by 24 until the first look was drawn, then press Ctrl-C."""
    terminal, inside = pty.openpty()
    command = [sys.executable, "-m", "migrator", "drain", "watch", "--before", "auther"]
    size = {"COLUMNS": "80", "LINES": "24"}
    seen = b""
    with subprocess.Popen(
        command,
        cwd=drain.root,
        env=os.environ | drain.env | size | env,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    ) as process:
        os.close(inside)
        timer = threading.Timer(PATIENCE_S, process.kill)
        timer.start()
        while b"HELD" not in seen:
            seen += os.read(terminal, 65536)
        process.send_signal(signal.SIGINT)
        try:
            while data := os.read(terminal, 65536):
                seen += data
        except OSError:
            pass
        code = process.wait(PATIENCE_S)
        timer.cancel()
    os.close(terminal)
    return seen.decode(), code
