"""The plugin's schemes against values of other implementations, and against the Python ones."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from migrator.auther.plugin import files as plugin_files
from migrator.core.envelope import NO_PEPPER, PREFIX, decode
from migrator.schemes.registry import SCHEMES, verify
from tests.auther.plugin.verifier import Verifier
from tests.parts import require
from tests.schemes.test_vectors import CHEAP
from tests.schemes.vectors import Vector, load

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS = load()
PEPPERS = {f"v{number}": text for number, text in enumerate({v.pepper for v in VECTORS} - {""})}
IDS = {text: name for name, text in PEPPERS.items()}
MUTATIONS = 2000


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verifier]:
    require("node")
    with Verifier(tmp_path_factory.mktemp("verifier"), PEPPERS) as running:
        yield running


def stored(vector: Vector) -> str:
    return vector.envelope(pepper_id=IDS.get(vector.pepper, NO_PEPPER))


def test_the_plugin_knows_every_scheme() -> None:
    """In the order of the Python registry, so that both are read side by side."""
    text = plugin_files.files()[plugin_files.PLUGIN]
    table = text.partition("const SCHEMES:")[2].partition("]);")[0]
    assert re.findall(r'^  \["([a-z0-9_]+)", ', table, re.MULTILINE) == list(SCHEMES)


def test_each_value_fits_its_password_and_no_other(verifier: Verifier) -> None:
    for vector in VECTORS:
        assert verifier.answer(stored(vector), vector.password)["valid"] is True, vector
        if vector in CHEAP:
            assert verifier.answer(stored(vector), vector.password + "x")["valid"] is False
            other = f"y{vector.password[1:]}"
            assert verifier.answer(stored(vector), other)["valid"] is False, vector


def test_a_pepper_takes_part(verifier: Verifier) -> None:
    for vector in CHEAP:
        if vector.pepper:
            without = vector.envelope(pepper_id=NO_PEPPER)
            assert verifier.answer(without, vector.password)["valid"] is False, vector


def mutations(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Envelopes of which a letter was changed, added or lost, anywhere, with the right password."""
    draw = random.Random(seed)
    for _ in range(count):
        vector = draw.choice(CHEAP)
        text = stored(vector)
        at = draw.randrange(len(PREFIX), len(text) + 1)
        letter = draw.choice(
            ["", "0", "1", "A", "a", "$", ":", ",", "=", "&", "%", "{", "é", "\n"]
        )
        yield text[:at] + letter + text[at + draw.choice([0, 1]) :], vector.password


def expected(text: str, password: str) -> bool:
    """What the Python side says, with the plugin's peppers."""
    try:
        envelope = decode(text)
    except ValueError:
        return False
    known = {NO_PEPPER: "", **PEPPERS}
    peppers = [known[name] for name in envelope.peppers if name in known]
    return any(verify(envelope, password.encode(), pepper=p.encode()) for p in peppers)


def test_both_sides_agree_on_spoilt_envelopes(verifier: Verifier) -> None:
    """None of them is an error; the few that still fit (a salt in capitals, say) fit on both sides."""
    for text, password in mutations(MUTATIONS, seed=1332):
        assert verifier.answer(text, password).get("valid") is expected(text, password), text


def test_passwords_of_megabytes_cost_nothing(verifier: Verifier) -> None:
    slow = next(v for v in VECTORS if v.value.startswith("pbkdf2_sha256$1000000$"))
    assert verifier.answer(stored(slow), "p" * 5000)["ms"] < 50
