"""A file is sent in pieces, and through a pooler each carries what a session would forget."""

from __future__ import annotations

from migrator.core.units import carrying, heading_of, needs_session, units_of

FILE = """-- what it is

-- unit: move
BEGIN ISOLATION LEVEL REPEATABLE READ;
DO $x$
BEGIN
    PERFORM 1;
END
$x$;
COMMIT;

-- always: look
-- a remark
CREATE INDEX CONCURRENTLY i ON t (a);
"""


def test_a_file_is_cut_at_its_units() -> None:
    assert heading_of(FILE) == "-- what it is\n\n"
    assert [(unit.name, unit.recorded) for unit in units_of(FILE)] == [
        ("move", True),
        ("look", False),
    ]


def test_a_setting_goes_into_each_transaction_and_into_no_block_of_plpgsql() -> None:
    carried = carrying(FILE, "migrator.fence", 7)
    assert carried.count("SET LOCAL") == 1
    assert "REPEATABLE READ;\nSET LOCAL migrator.fence = '7';\nDO" in carried


def test_only_what_commits_on_its_way_needs_a_session() -> None:
    assert not needs_session(FILE)
    assert needs_session(FILE + "-- unit: fill\n-- in batches\nDO $x$ BEGIN COMMIT; END $x$;\n")
