"""A removal from MariaDB: what is refused, what is said, and how values and names are written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from migrator.core.catalog import Blocker, Catalog, InboundKey, Table, Trigger, shape
from migrator.core.errors import RefusedError
from migrator.core.mariadb import (
    as_text,
    digest,
    fitting,
    from_text,
    kind_of,
    literal,
    places_of,
)
from migrator.core.units import units_of
from migrator.legacy.mariadb_removal.catalog import without_keys
from migrator.sqlgen.mariadb.removal import make_removal, refusals
from migrator.sqlgen.mariadb.render import created_in, render, wait_s
from migrator.sqlgen.mariadb.telling import described, exceptions, notes
from tests.sqlgen.mariadb_removals import (
    ID,
    KEY,
    LOGINS,
    RULES,
    TO_LOGINS,
    TWICE,
    USERS,
    VISITS,
    made,
)


def why_not(table: Table) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        made(table)
    first, *reasons = refused.value.message.split("\n  ")
    assert first == "not everything could be carried back:"
    return reasons


def test_two_ordinary_tables_can_go() -> None:
    assert refusals(made(LOGINS, VISITS)) == []


INBOUND = InboundKey("shop", "visits", 0, "to_logins", "", (), (), True, "")


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (replace(LOGINS, blockers=(Blocker("", "it is partitioned"),)), "shop.logins: it is partitioned"),
        (replace(LOGINS, schema="other"), "other.logins: it is in another database than legacy.dsn leads to"),
        (replace(LOGINS, triggers=(Trigger("t", "", "O", ""),)), "shop.logins: trigger t cannot move to another database"),
        (replace(LOGINS, inbound=(INBOUND,)), "shop.logins: foreign key to_logins of shop.visits points to it: drop that one first"),
        (replace(LOGINS, columns=(replace(ID, type="bit(3)"),)), "shop.logins.id: values of the type bit(3) cannot be carried"),
        (replace(LOGINS, columns=(ID, replace(TWICE, generated="s"))), 'shop.logins: foreign key odd "user could not come back: twice is computed of its columns and stored'),
        (replace(LOGINS, definition="COMMENT='$migrator$'"), "shop.logins: a text of it would cut the files"),
        (replace(LOGINS, definition="x\n-- unit: a\n"), "shop.logins: a text of it would cut the files"),
    ],
)  # fmt: skip
def test_what_cannot_come_back_is_named(table: Table, reason: str) -> None:
    assert why_not(table) == [reason]


def test_a_table_of_another_plan_is_left_alone() -> None:
    place = places_of("shop").quarantine
    assert f"{place}.logins: {place} belongs to another plan" in why_not(
        replace(LOGINS, schema=place)
    )


def test_a_key_between_tables_that_both_go_is_no_obstacle() -> None:
    inbound = replace(INBOUND, table=VISITS.name)
    assert refusals(made(replace(LOGINS, inbound=(inbound,)), VISITS)) == []


def test_a_computed_column_of_other_columns_is_no_obstacle() -> None:
    stored = replace(TWICE, generated="s", default='length("seal")')
    assert refusals(made(replace(LOGINS, columns=(ID, stored)))) == []
    unique = replace(KEY, kind="u")
    assert (
        refusals(
            made(
                replace(LOGINS, columns=(ID, replace(TWICE, generated="s")), constraints=(unique,))
            )
        )
        == []
    )


@pytest.mark.parametrize("word", RULES.acknowledged)
def test_what_nobody_can_measure_has_to_be_acknowledged(word: str) -> None:
    accepted = tuple(each for each in RULES.acknowledged if each != word)
    with pytest.raises(
        RefusedError, match=rf'to go on without put "{word}" into \[remove\] acknowledged$'
    ):
        made(LOGINS, acknowledged=accepted)


def test_older_servers_and_vanished_tables_are_refused() -> None:
    with pytest.raises(
        RefusedError, match=r"^not .+:\n  the server is older than MariaDB 10\.11$"
    ):
        made(LOGINS, version=101_099)
    assert refusals(made(LOGINS, version=101_100)) == []
    with pytest.raises(RefusedError, match=r"^a table vanished meanwhile$") as refused:
        make_removal(
            Catalog("shop", 101_119, (USERS,)),
            tables=(("shop", "x"),),
            users=("shop", "users"),
            rules=RULES,
        )
    assert refused.value.hint == "migrator remove plan"
    with pytest.raises(RefusedError, match="vanished"):
        make_removal(
            Catalog("shop", 101_119, (LOGINS,)), tables=(), users=("shop", "users"), rules=RULES
        )


def test_a_plan_says_what_cannot_be_promised() -> None:
    removal = made(LOGINS)
    assert described(removal) == (
        "shop.logins: InnoDB table 11; 3 rows; foreign keys: 1 out, 0 in",
    )
    assert exceptions(removal)[3:] == tuple(
        f"shop.logins.{column}: its values are secrets and not archived; a revert puts {what} there"
        for column, what in (
            ("reset_token", "a random value"),
            ("password_digest", "a hash that no password fits"),
            ("secret", "NULL"),
            ("api_key", "its default"),
        )
    )
    named = made(replace(LOGINS, mentions=("shop.find",)))
    assert notes(named)[0] == "routine shop.find names shop.logins, and may break"
    said = " ".join(notes(removal))
    for word in (
        places_of("shop").guard,
        "no transaction",
        "nobody hears",
        "GET_LOCK",
        "TRUNCATE",
    ):
        assert word in said


def test_files_are_of_statements_that_end_with_a_line_of_their_own() -> None:
    for path, text in render(made(LOGINS, VISITS)).items():
        if path.endswith(".sql"):
            assert text.count("DELIMITER $migrator$\n") == 1, path
            for unit in units_of(text):
                *statements, rest = unit.text.split("\n$migrator$\n")
                assert statements, (path, unit.name)
                assert all(line.startswith("--") for line in rest.split("\n") if line), (
                    path,
                    rest,
                )


def test_a_text_that_looks_like_a_definition_is_not_rewritten() -> None:
    comment = """ COMMENT='CREATE TABLE "logins"'"""
    table = replace(LOGINS, definition=LOGINS.definition + comment)
    text = created_in(table, "elsewhere")
    assert text.startswith('CREATE TABLE "elsewhere"."logins" (')
    assert text.endswith(comment)


def test_of_a_key_only_its_target_is_moved() -> None:
    odd = ' REFERENCES "shop"."logins" '
    key = replace(TO_LOGINS, definition=f'{TO_LOGINS.definition} COMMENT "{odd}"')
    files = render(made(LOGINS, replace(VISITS, constraints=(key,))))
    text = files["revert/08_write_block_tables.sql"]
    place = places_of("shop").quarantine
    assert f' REFERENCES "{place}"."logins" ("id", "seal") COMMENT "{odd}"' in text
    rebuilt = str(json.loads(files["archive/06_archive_tables.json"]))
    assert f' REFERENCES "logins" ("id", "seal") COMMENT "{odd}"' in rebuilt


def test_a_wait_is_of_whole_seconds() -> None:
    assert [wait_s(ms) for ms in (0, 1, 1000, 1001, 2000)] == [1, 1, 1, 2, 2]


def test_names_are_cut_to_what_mariadb_takes() -> None:
    assert fitting("a" * 64) == "a" * 64
    assert len(fitting("ä" * 65)) == 64
    assert fitting("a" * 65) != fitting("a" * 66)
    assert len(set(places_of("d" * 64).all)) == 4


def test_texts_are_quoted_for_a_server_whose_backslashes_escape() -> None:
    assert literal("it's \\ one") == r"'it''s \\ one'"
    with pytest.raises(ValueError, match="NUL"):
        literal("\0")


def test_values_travel_as_text_and_lose_nothing() -> None:
    assert [kind_of(kind) for kind in ("varchar(5)", "int(10) unsigned", "double", "FLOAT")] == ["varchar", "int", "double", "float"]  # fmt: skip
    assert as_text("a", "varbinary(3)") == 'HEX(t."a")'
    assert as_text("a", "float") == 'CONVERT(t."a" + 0e0 USING utf8mb4)'
    assert as_text("a", "double") == 'CONVERT(t."a" USING utf8mb4)'
    assert (from_text("blob", "%s"), from_text("text", "%s")) == ("UNHEX(%s)", "%s")
    assert "SHA2(CONCAT(''), 256)" in digest("t", [])


def test_a_definition_is_kept_without_foreign_keys_and_counter() -> None:
    text = (
        'CREATE TABLE "a" (\n  "id" int(11) NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY ("id"),\n'
        '  CONSTRAINT "one" FOREIGN KEY ("id") REFERENCES "b" ("id") ON DELETE CASCADE,\n'
        '  CONSTRAINT "two" FOREIGN KEY ("id") REFERENCES "x"."c" ("id"),\n'
        '  CONSTRAINT "check" CHECK ("id" > 0)\n'
        ") ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT=' AUTO_INCREMENT=3'"
    )
    assert without_keys(text) == (
        'CREATE TABLE "a" (\n  "id" int(11) NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY ("id"),\n'
        '  CONSTRAINT "check" CHECK ("id" > 0)\n'
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT=' AUTO_INCREMENT=3'"
    )
    last = text.replace(',\n  CONSTRAINT "check" CHECK ("id" > 0)', "")
    assert '  PRIMARY KEY ("id")\n) ENGINE' in without_keys(last)


def test_a_changed_definition_is_another_shape() -> None:
    assert shape(LOGINS)["definition"] == LOGINS.definition
    assert "definition" not in shape(USERS)
