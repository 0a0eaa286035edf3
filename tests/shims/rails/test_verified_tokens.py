"""The cache of verified tokens by itself: how much it holds, and when it forgets."""

import subprocess

import pytest

from tests.parts import require
from tests.shims.golden import GOLDEN

LIBRARY = GOLDEN / "rails" / "lib" / "auther_cutover"
PRELUDE = f"""
require "json"
require "openssl"
require "{LIBRARY}/token"
require "{LIBRARY}/verified_tokens"
cache = AutherCutover::VerifiedTokens.new
token = ->(text) {{ AutherCutover::Token.new(text) }}
good = {{ "sub" => "alice", "exp" => Time.now.to_f + 60 }}
"""
CASES = {
    "known": (
        'cache.keep(token["t"], "v1", good); puts cache.claims(token["t"]) { "v1" }.to_json.size > 4',
        "true",
    ),
    "another": ('cache.keep(token["t"], "v1", good); p cache.claims(token["u"]) { "v1" }', "nil"),
    "another key set": (
        'cache.keep(token["t"], "v1", good); p cache.claims(token["t"]) { "v2" }',
        "nil",
    ),
    "ended": (
        'cache.keep(token["t"], "v1", good.merge("exp" => Time.now.to_f - 1)); p cache.claims(token["t"]) { "v1" }',
        "nil",
    ),
    "frozen": (
        'cache.keep(token["t"], "v1", good); p cache.claims(token["t"]) { "v1" }.frozen?',
        "true",
    ),
    "a new key set drops all": (
        """5.times { |n| cache.keep(token["t#{n}"], "v1", good.dup) }
cache.keep(token["new"], "v2", good.dup)
p cache.instance_variable_get(:@claims).size""",
        "1",
    ),
    "bounded": (
        """30_000.times { |n| cache.keep(token["t#{n}"], "v1", good.dup) }
p [cache.instance_variable_get(:@claims).size, cache.claims(token["t29999"]) { "v1" }.nil?, cache.claims(token["t0"]) { "v1" }.nil?]""",
        "[10000, false, true]",
    ),
}


@pytest.mark.parametrize(("script", "said"), CASES.values(), ids=CASES)
def test_what_it_gives(script: str, said: str) -> None:
    require("rails")
    done = subprocess.run(
        ["ruby", "-e", PRELUDE + script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == said
