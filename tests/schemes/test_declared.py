"""What operators may declare, and what they may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.schemes.digests import DIGESTS, clash, declare
from migrator.schemes.registry import claimed_by
from migrator.schemes.template import parse

SHA1 = "a9" * 20
SALTED = {"algorithm": "sha1", "template": "{salt}{password}"}


def template(**params: str) -> dict[str, str]:
    return {"algorithm": "sha1", "template": "{salt}{password}", **params}


def test_bare_digests_are_nobodys_until_they_are_declared() -> None:
    assert claimed_by(SHA1, "salt") is None
    declared = declare("encryptable_sha1", {"stretches": "10"})
    claim = claimed_by(SHA1, "salt", [declared])
    assert claim is not None
    assert (claim.scheme.name, claim.peppered) == ("encryptable_sha1", True)
    assert claim.params == {"salt": "salt", "stretches": "10"}


@pytest.mark.parametrize(
    ("value", "salt"),
    [
        (SHA1, None),
        (SHA1, ""),
        (SHA1, "s" * 256),
        (SHA1, "\0"),
        (SHA1, "\udc80"),
        (SHA1[:-1], "salt"),
        (SHA1 + "0", "salt"),
        (SHA1[:-1] + "g", "salt"),
        (SHA1[:20] + SHA1[20:].upper(), "salt"),
        (SHA1 + "\n", "salt"),
    ],
)
def test_a_declaration_claims_by_exact_length_and_a_filled_salt(
    value: str, salt: str | None
) -> None:
    declared = declare("encryptable_sha1", {"stretches": "10"})
    assert claimed_by(value, salt, [declared]) is None


def test_an_unsalted_template_claims_only_without_a_salt() -> None:
    declared = declare("template", {"algorithm": "sha1", "template": "{password}"})
    assert claimed_by(SHA1, None, [declared]) is not None
    assert claimed_by(SHA1, "", [declared]) is not None
    assert claimed_by(SHA1, "salt", [declared]) is None


@pytest.mark.parametrize(
    ("scheme", "params"),
    [
        ("sha3", {}),
        ("bcrypt", {}),
        ("encryptable_sha1", {}),
        ("encryptable_sha1", {"stretches": "0"}),
        ("encryptable_sha1", {"stretches": "100001"}),
        ("encryptable_sha1", {"stretches": "1e3"}),
        ("encryptable_sha1", {"stretches": "10", "template": "{password}"}),
        ("clearance_sha1", {"stretches": "1"}),
        ("clearance_sha1", {"template": "{password}"}),
        ("template", {}),
        ("template", template(algorithm="md4")),
        ("template", template(template="{salt}")),
        ("template", template(template="{secret}{password}")),
        ("template", template(template="{password")),
        ("template", template(template="{password}}")),
        ("template", template(template="{md5 {password}")),
        ("template", template(template="{md5{password}}")),
        ("template", template(template="{md5 " * 6 + "{password}" + "}" * 6)),
        ("template", template(template="{password}" + "x" * 200)),
        ("template", template(output="octal")),
        ("template", template(between="binary")),
        ("template", template(stored="{salt}")),
        ("template", template(stored="{salt}{hash}")),
        ("template", template(stored="x{hash}")),
        ("template", template(stored="{hash}${hash}")),
        ("template", template(stored="(.*){hash}")),
        ("template", {"algorithm": "sha1", "template": "{password}", "stored": "{salt}${hash}"}),
    ],
)
def test_what_cannot_be_meant_is_refused(scheme: str, params: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        declare(scheme, params)


SHA1_SALTED = declare("template", SALTED)
OTHERS = {
    "clearance": declare("clearance_sha1", {}),
    "longer": declare("encryptable_sha512", {"stretches": "1"}),
    "unsalted": declare("template", {"algorithm": "sha1", "template": "{password}"}),
    "dollar": declare("template", template(stored="{salt}${hash}")),
    "colon": declare("template", template(stored="{salt}:{hash}")),
    "other end": declare("template", template(stored="{hash}:{salt}")),
    "other end, longer": declare("template", template(algorithm="md5", stored="{hash}:{salt}")),
    "named": declare("template", template(stored="sha1${salt}${hash}")),
    "named otherwise": declare("template", template(stored="old${salt}${hash}")),
}


@pytest.mark.parametrize(
    ("one", "two", "clashes"),
    [
        ("clearance", "longer", False),
        ("clearance", "unsalted", False),
        ("clearance", "clearance", True),
        ("dollar", "colon", False),
        ("dollar", "dollar", True),
        ("colon", "other end", True),
        ("colon", "other end, longer", True),
        ("dollar", "named", False),
        ("named", "named otherwise", False),
        ("named", "named", True),
    ],
)
def test_two_declarations_of_the_same_values_clash(one: str, two: str, clashes: bool) -> None:
    assert bool(clash([OTHERS[one], OTHERS[two]])) == clashes
    assert bool(clash([OTHERS[two], OTHERS[one]])) == clashes


def test_a_salted_template_clashes_with_a_preset_of_the_same_length() -> None:
    assert clash([SHA1_SALTED, OTHERS["clearance"]]) is not None


FORMS = st.sampled_from(sorted(OTHERS))
SALTS = st.text(st.sampled_from("abAB01$:./"), max_size=12)


@given(FORMS, FORMS, SALTS, SALTS)
def test_without_a_clash_no_value_has_two_owners(
    one: str, two: str, salt: str, column: str
) -> None:
    pair = [OTHERS[one], OTHERS[two]]
    if clash(pair) is not None:
        return
    for form in ("{hash}", *(declared.recipe.stored for declared in pair)):
        for digits in (SHA1, SHA1[:32], SHA1 * 3 + SHA1[:8]):
            value = form.replace("{hash}", digits).replace("{salt}", salt)
            assert sum(d.params_for(value, column) is not None for d in pair) <= 1


@given(st.text(st.sampled_from("{}salt passwordmd5digest "), max_size=60))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        parse(text).render({"salt": b"", "password": b"", "pepper": b"", "digest": b""})
    except ValueError:
        assert "{" in text or "}" in text


def test_fields_are_filled_in_once() -> None:
    """A password that looks like a template stays what was typed."""
    values = {"salt": b"{password}", "password": b"{salt}", "pepper": b"", "digest": b""}
    assert parse("{salt}-{password}").render(values) == b"{password}-{salt}"


@given(st.dictionaries(st.sampled_from(["algorithm", "template", "stretches", "x"]), st.text()))
def test_params_of_an_envelope_are_read_or_refused(params: dict[str, str]) -> None:
    for scheme in DIGESTS.values():
        assert scheme.verify(SHA1, b"password", pepper=b"", params=params) is False
