"""The set-up's own rules: done work is not repeated, interrupted work is."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.setup.paths import ROOT
from tests.setup.steps import SetupError, digest, once, run


def test_done_work_is_not_repeated_until_its_inputs_change(tmp_path: Path) -> None:
    stamp = tmp_path / "new" / "stamp"
    needed = []
    for fingerprint in ("a", "a", "b", "b", "a"):
        with once(stamp, fingerprint=fingerprint) as work:
            needed.append(work)
    assert needed == [True, False, True, False, True]


def test_interrupted_work_starts_anew(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    with once(stamp, fingerprint="a"):
        pass
    with pytest.raises(KeyboardInterrupt), once(stamp, fingerprint="b"):
        raise KeyboardInterrupt
    for fingerprint in ("a", "b"):
        with once(stamp, fingerprint=fingerprint) as needed:
            assert needed


def test_a_fingerprint_changes_with_each_part_and_its_borders(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    seen = set()
    for content, values in (
        ("x", ["a"]),
        ("y", ["a"]),
        ("x", ["b"]),
        ("xa", []),
        ("", ["x", "a"]),
    ):
        file.write_text(content)
        seen.add(digest(files=[file], values=values))
    assert len(seen) == 5


def test_a_failed_command_tells_its_output() -> None:
    script = "import sys; print('the reason'); sys.exit(3)"
    with pytest.raises(SetupError, match="the reason"):
        run([sys.executable, "-c", script])


def test_a_missing_command_is_named() -> None:
    with pytest.raises(SetupError, match="no-such-program is not installed"):
        run(["no-such-program"])


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    child = f"sleep 2; touch {tmp_path}/still-there"
    with pytest.raises(SetupError, match="took over 1 s"):
        run(["sh", "-c", f"({child}) & wait"], timeout_s=1)
    time.sleep(2)
    assert list(tmp_path.iterdir()) == []


def test_a_long_output_keeps_its_start_and_its_end() -> None:
    script = "import sys; print(*range(1000), sep='\\n'); sys.exit(1)"
    with pytest.raises(SetupError) as raised:
        run([sys.executable, "-c", script])
    lines = str(raised.value).splitlines()
    assert lines[1] == "0"
    assert lines[-1] == "999"
    assert len(lines) < 30


@pytest.mark.parametrize("arguments", [[], ["everything"], ["test", "demo"]])
def test_a_wrong_word_is_a_usage_error(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "tests.setup", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "python|lock|demo|mutants|test" in done.stderr
