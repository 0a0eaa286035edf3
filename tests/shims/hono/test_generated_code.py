"""The generated code by its own language's tools, and by the test that comes with it."""

import re
from pathlib import Path

import pytest

from tests.parts import require
from tests.parts.express import HONO, put_together
from tests.setup.paths import HONO_APP
from tests.shims.express.test_generated_code import VARIANTS, check_types_and_format, run

pytestmark = pytest.mark.xdist_group("hono")
# With both sides the application is checked too: it is written as the README says.
APPLICATION = ("app.js", "server.js", "sessions.js", "users.js")
BIN = HONO_APP / "node_modules" / ".bin"
README_INSTALLS = {"jose", "pg", "prom-client", "hono"}


def program(folder: Path, name: str) -> Path:
    """Fill a folder with the variant and what of the application belongs to it."""
    put_together(folder, VARIANTS[name], HONO)
    for file in ("plain.js",) if VARIANTS[name].legacy else APPLICATION:
        (folder / file).unlink()
    return folder


def test_types_are_strict_and_the_format_is_prettiers(tmp_path: Path) -> None:
    require("hono")
    folders = [program(tmp_path / str(number), name) for number, name in enumerate(VARIANTS)]
    check_types_and_format(BIN, tmp_path, folders)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_test_that_comes_with_it_passes(tmp_path: Path, name: str) -> None:
    require("hono")
    ran = run(program(tmp_path / "app", name), "node", "--test", "test/")
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^# pass [12]\d$", ran.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_whole_and_needs_what_its_readme_names(name: str) -> None:
    files = HONO.target.files(VARIANTS[name])
    code = "".join(text for path, text in files.items() if path.endswith(".js"))
    packages = set(re.findall(r'^import .* from "([a-z@][^":]*)";$', code, re.MULTILINE))
    assert {re.sub(r"^hono/.*", "hono", one) for one in packages} - {
        "@hono/node-server"
    } <= README_INSTALLS
    assert "migrator/" not in code.replace("/migrator/metrics", "")
    modules = {Path(path).name for path in files if path.startswith("auther-cutover/")}
    table = set(re.findall(r"`([\w-]+\.js)`", files["auther-cutover/README.md"]))
    silent = {"index.js", "errors.js", "types.d.ts", "hono.d.ts", "README.md"}
    assert table == modules - silent
