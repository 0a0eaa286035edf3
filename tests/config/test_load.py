from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.cli.init import render
from migrator.config.load import load
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.config.model import Config


def _load(folder: Path, *changes: tuple[str, str]) -> Config:
    text = render("shop", verified_when="confirmed")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "migrator.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_the_template_is_a_valid_configuration_whose_comments_tell_the_defaults(
    tmp_path: Path,
) -> None:
    config = _load(tmp_path)
    assert config.migration.name == "shop"
    assert config.import_.verified_when == "confirmed"
    assert str(config.legacy.dsn) == "env:LEGACY_DATABASE_URL"
    for section in ("import_", "stage", "legacy", "drain", "remove", "shim"):
        in_file = getattr(config, section)
        for name, field in type(in_file).model_fields.items():
            if name in in_file.model_fields_set and not field.is_required():
                default = field.get_default(call_default_factory=True)
                assert default is None or getattr(in_file, name) == default, (section, name)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'dsn = "env:LEGACY_DATABASE_URL"',
            'dsn = "postgresql://a:geheim@b/c"',
            "legacy.dsn: found a value in clear",
        ),
        ('model = "User"', 'modell = "User"', "legacy.modell: unknown key"),
        (
            'verified_when = "confirmed"',
            'verified_when = "maybe"',
            "import.verified_when: found 'maybe'",
        ),
        ('verified_when = "confirmed"', "", "import.verified_when: missing"),
        ('unlock_in = "1h"', "unlock_in = 3600", "write a duration as text"),
        ('interval = "30s"', 'interval = "soon"', "'soon' is not a duration"),
        ("page_rows = 5000", "page_rows = 0", "greater than or equal to 1"),
        ('name = "shop"', 'name = "Shop!"', "migration.name: found 'Shop!'"),
    ],
)
def test_a_wrong_file_names_the_key_what_was_found_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        _load(tmp_path, (old, new))
    assert said in refused.value.message
    assert "geheim" not in refused.value.message


def test_a_gate_without_a_condition_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    gate = '[[gates]]\nname = "g"\nbefore = "remove"\nmeasure = "legacy_requests"\nspan = "1h"\n'
    head = "[shim]"
    with pytest.raises(UsageError, match="without a condition"):
        _load(tmp_path, (head, gate + head))
    bound = gate + "at_most = 0\n"
    with pytest.raises(UsageError, match="same name"):
        _load(tmp_path, (head, bound + bound + head))


def test_a_missing_file_names_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        load(tmp_path / "migrator.toml")
    assert refused.value.hint.endswith("migrator init --verified-when confirmed")


def test_five_peppers_are_too_many(tmp_path: Path) -> None:
    peppers = "".join(f'[[legacy.peppers]]\nid = "p{i}"\nvalue = "env:P{i}"\n' for i in range(4))
    with pytest.raises(UsageError, match="at most 4 peppers"):
        _load(tmp_path, ("[auther]", peppers + "[auther]"))
