"""Makes one JavaScript file of the server and the plugin, once per state of their sources."""

import hashlib
import os
import subprocess
from pathlib import Path

from migrator.auther import plugin_files

PROJECT = Path(__file__).resolve().parent
BUILT = PROJECT / ".parts"
# Packages with machine code can't go into the bundle.
NATIVE_PACKAGES = ("@libsql/*", "libsql", "@node-rs/*")
BANNER = (
    'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
)


def bundle(entry: str = "server") -> Path:
    """Build the server or another program of this folder, unless this very state of it is built.

    Raises:
        subprocess.CalledProcessError: esbuild refuses the sources; it has told why on standard error.
        FileNotFoundError: the npm packages are not installed.
    """
    write_plugin()
    target = BUILT / f"{entry}-{_fingerprint()[:16]}.mjs"
    if not target.exists():
        _run_esbuild(f"{entry}.ts", target)
    return target


def write_plugin() -> None:
    """Put the plugin where the server imports it from, as `migrator import plugin` would."""
    BUILT.mkdir(exist_ok=True)
    for name, text in plugin_files.files().items():
        _replace(BUILT / name, text)


def _fingerprint() -> str:
    sources = [
        *sorted(PROJECT.glob("*.ts")),
        PROJECT / "package-lock.json",
        BUILT / plugin_files.PLUGIN,
    ]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


def _run_esbuild(entry: str, target: Path) -> None:
    unfinished = target.with_suffix(f".{os.getpid()}.mjs")
    command = [str(PROJECT / "node_modules" / ".bin" / "esbuild"), entry, "--bundle"]
    command += ["--platform=node", "--format=esm", "--target=node20", "--log-level=warning"]
    command += [f"--external:{name}" for name in NATIVE_PACKAGES]
    command += [f"--banner:js={BANNER}", f"--outfile={unfinished}"]
    subprocess.run(command, cwd=PROJECT, check=True)
    unfinished.replace(target)


def _replace(path: Path, text: str) -> None:
    """Write only a change, and whole: several test processes build at the same time."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
