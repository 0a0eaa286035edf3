"""The real Devise, asked what it says of addresses and passwords. Knows nothing of pytest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.parts.rails import RAILS, SOURCE, lock_gems

if TYPE_CHECKING:
    from collections.abc import Sequence

# What Devise's own login form does, in its order.
SCRIPT = """
require "json"
require "./config/environment"
answers = JSON.parse($stdin.read).map do |email, password|
  user = User.find_for_database_authentication(email: email)
  next "unknown" unless user
  next "wrong password" unless user.valid_password?(password)
  user.active_for_authentication? ? "signs in" : user.inactive_message.to_s
end
puts "answers: #{JSON.generate(answers)}"
"""
MARK = "answers: "
# By the DSN's scheme.
GEMS = {"mysql2": "mysql2", "sqlite3": "sqlite3"}


def ask_devise(dsn: str, asked: Sequence[tuple[str, str]], *, pepper: str) -> list[str]:
    """Ask for each address and password: `signs in`, or why not.

    Raises:
        RuntimeError: Rails did not start; the message holds what it said.
    """
    said = run_rails(dsn, SCRIPT, json.dumps(asked), pepper=pepper)
    line = next(line for line in said.splitlines() if line.startswith(MARK))
    answers: list[str] = json.loads(line.removeprefix(MARK))
    return answers


def run_rails(dsn: str, script: str, said: str = "", *, pepper: str = "") -> str:
    """Run a Ruby script in the application's folder and give what it printed.

    Args:
        dsn: The database, whichever it is.
        script: Ruby.
        said: The script's standard input.
        pepper: Devise's.

    Raises:
        RuntimeError: Rails did not start; the message holds what it said.
    """
    folder = Path(tempfile.mkdtemp(prefix="migrator-devise-"))
    try:
        shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
        environment = os.environ | RAILS | {"RAILS_ENV": "test", "DATABASE_URL": dsn}
        gem = GEMS.get(dsn.partition(":")[0], "pg")
        environment |= {"DEVISE_PEPPER": pepper, "DATABASE_GEM": gem}
        lock_gems(folder, gem)
        return _run(folder, ["bundle", "exec", "ruby", "-e", script], environment, said)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, command: list[str], environment: dict[str, str], said: str = "") -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[:3]}: {done.stdout}{done.stderr}")
    return done.stdout
