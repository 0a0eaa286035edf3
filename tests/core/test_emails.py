from __future__ import annotations

import pytest

from migrator.core.emails import normalise


@pytest.mark.parametrize(
    ("stored", "looked_up"),
    [
        ("a@b.example", "a@b.example"),
        ("MixedCase@Example.Com", "mixedcase@example.com"),
        ("  padded@b.example\n", "padded@b.example"),
        # Ruby's strip leaves a non-breaking space: another account.
        ("\u00a0a@b.example", "\u00a0a@b.example"),
        ("STRASSE@b.example", "strasse@b.example"),
        ("ÄÖ@b.example", "äö@b.example"),
        ("\u0391\u03a3@b.example", "\u03b1\u03c3@b.example"),
        ("İ@b.example", "i\u0307@b.example"),
    ],
)
def test_an_address_is_looked_up_as_devise_does(stored: str, looked_up: str) -> None:
    assert normalise(stored) == looked_up
