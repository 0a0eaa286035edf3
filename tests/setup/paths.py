"""Where the set-up puts things, and how programs find them."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PARTS = ROOT / ".parts"
PARTS_BIN = PARTS / "bin"
# Debian's packages, unpacked without touching the machine.
DEBIAN_TREE = PARTS / "debian"
BETTER_AUTH = ROOT / "tests" / "parts" / "better_auth"
BETTER_AUTH_NEWEST = ROOT / "tests" / "parts" / "better_auth_newest"
# Where Debian's Go packages are: on the machine, or unpacked without root.
GO_PATH = os.pathsep.join(
    str(root / "usr" / "share" / "gocode") for root in (Path("/"), DEBIAN_TREE)
)
EXPRESS_APP = ROOT / "tests" / "parts" / "express_app"
HONO_APP = ROOT / "tests" / "parts" / "hono_app"
SQLD = ROOT / "tests" / "parts" / "sqld"


def use_parts() -> None:
    """Put the programs that the set-up brought before the machine's on this process's PATH."""
    found = [PARTS_BIN] if PARTS_BIN.is_dir() else []
    found += [VENV / "bin"] if (VENV / "bin" / "node").exists() else []
    before = os.environ.get("PATH", os.defpath).split(os.pathsep)
    new = [str(folder) for folder in found if str(folder) not in before]
    os.environ["PATH"] = os.pathsep.join(new + before)
