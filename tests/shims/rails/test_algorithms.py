"""The kinds of key that Auther may publish: each knows its own signatures, and no others."""

import json
import subprocess
from pathlib import Path

from tests.parts import require
from tests.shims.golden import GOLDEN

DRIVER = Path(__file__).with_name("algorithms_driver.rb")
LIBRARY = GOLDEN / "rails" / "lib" / "auther_cutover"


def test_a_key_knows_its_own_signatures_only() -> None:
    require("rails")
    done = subprocess.run(
        ["ruby", str(DRIVER), str(LIBRARY)], capture_output=True, text=True, check=True
    )
    expected = [True, *([False] * 6)]
    assert json.loads(done.stdout) == dict.fromkeys(("EdDSA", "ES256", "RS256"), expected)
