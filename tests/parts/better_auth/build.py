"""Makes one JavaScript file of the server and the plugin, once per state of their sources."""

import hashlib
import os
import subprocess
from pathlib import Path

from migrator.auther.plugin import files as plugin_files

PROJECT = Path(__file__).resolve().parent
BUILT = PROJECT / ".parts"
NEWEST = PROJECT.parent / "better_auth_newest"
# The newest better-auth shares these sources; node resolves packages from where a source lies, so they are copied.
SHARED = ("server.ts", "database.ts", "settings.ts", "schema.ts", "login_page.ts")
# Packages with machine code can't go into the bundle.
NATIVE_PACKAGES = ("@libsql/*", "libsql", "@node-rs/*")
BANNER = (
    'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
)


def bundle(entry: str = "server", *, newest: bool = False) -> Path:
    """Build the server or another program of this folder, unless this very state of it is built.

    Args:
        entry: The program's name.
        newest: On the newest better-auth.

    Raises:
        subprocess.CalledProcessError: esbuild refuses the sources; it has told why on standard error.
        FileNotFoundError: the npm packages are not installed.
    """
    project = NEWEST if newest else PROJECT
    sources = write_newest() if newest else PROJECT
    write_plugin(sources)
    target = project / ".parts" / f"{entry}-{_fingerprint(project, sources)[:16]}.mjs"
    if not target.exists():
        _run_esbuild(project, sources / f"{entry}.ts", target)
    return target


def write_plugin(sources: Path = PROJECT) -> None:
    """Put the plugin where the server imports it from, as `migrator import plugin` would."""
    (sources / ".parts").mkdir(exist_ok=True)
    for name, text in plugin_files.files().items():
        _replace(sources / ".parts" / name, text)


def write_newest() -> Path:
    """Put the sources of the newest better-auth's server together, and give their folder."""
    sources = NEWEST / ".parts" / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    for path in (*(PROJECT / name for name in SHARED), *NEWEST.glob("*.ts")):
        _replace(sources / path.name, path.read_text(encoding="utf-8"))
    return sources


def _fingerprint(project: Path, sources: Path) -> str:
    files = [
        *sorted(sources.glob("*.ts")),
        project / "package-lock.json",
        sources / ".parts" / plugin_files.PLUGIN,
    ]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _run_esbuild(project: Path, entry: Path, target: Path) -> None:
    unfinished = target.with_suffix(f".{os.getpid()}.mjs")
    command = [str(project / "node_modules" / ".bin" / "esbuild"), str(entry), "--bundle"]
    command += ["--platform=node", "--format=esm", "--target=node20", "--log-level=warning"]
    command += [f"--external:{name}" for name in NATIVE_PACKAGES]
    command += [f"--banner:js={BANNER}", f"--outfile={unfinished}"]
    subprocess.run(command, cwd=project, check=True)
    unfinished.replace(target)


def _replace(path: Path, text: str) -> None:
    """Write only a change, and whole: several test processes build at the same time."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
