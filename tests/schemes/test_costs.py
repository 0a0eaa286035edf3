"""How more values like a given one are made."""

import pytest

from migrator.schemes.costs import cost_of, scheme_of

KEY = "A" * 43
SALTED = f"$m=1024,t=2,p=2$c2FsdHNhbHQ${KEY}"


@pytest.mark.parametrize(
    ("value", "cost"),
    [
        (f"$2y$10${'x' * 53}", "bcrypt:cost=10"),
        (f"$2a$04${'x' * 53}", "bcrypt:cost=4"),
        (f"bcrypt_sha256$$2b$12${'x' * 53}", "django_bcrypt:cost=12"),
        (f"pbkdf2_sha256$870000$salt${KEY}=", "django_pbkdf2:iterations=870000"),
        ("$argon2id$v=19" + SALTED, "argon2:kind=argon2id&m=1024&t=2&p=2"),
        ("$argon2i$v=19" + SALTED, "argon2:kind=argon2i&m=1024&t=2&p=2"),
    ],
)
def test_a_value_says_how_more_of_its_kind_are_made(value: str, cost: str) -> None:
    assert cost_of(value) == cost
    assert scheme_of(cost) == cost.partition(":")[0]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "!unusable",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        f"$2y$10${'x' * 52}",
        f"bcrypt$$2b$12${'x' * 53}",
        f"pbkdf2_sha1$1000$salt${'A' * 27}=",
        "$argon2d$v=19" + SALTED,
        f"$P$B{'x' * 30}",
    ],
)
def test_what_is_cut_off_or_what_nobody_makes_any_more_says_nothing(value: str) -> None:
    assert cost_of(value) is None
