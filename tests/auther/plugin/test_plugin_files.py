"""The file that `migrator import plugin` writes out."""

import subprocess

from migrator.auther.plugin import files as plugin_files
from tests.parts import require
from tests.parts.better_auth.build import BUILT, PROJECT, write_plugin


def test_it_is_one_readable_file() -> None:
    files = plugin_files.files()
    assert set(files) == {"legacy-passwords.ts"}
    text = files["legacy-passwords.ts"]
    assert "plugins: [..., legacyPasswords()]" in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_it_fits_the_types_of_better_auth() -> None:
    require("node")
    write_plugin()
    assert (BUILT / "legacy-passwords.ts").read_text() == plugin_files.files()[
        "legacy-passwords.ts"
    ]
    done = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "--project", "."],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
