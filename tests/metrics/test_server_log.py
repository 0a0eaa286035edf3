"""Refused statements in PostgreSQL's log, in lines that PostgreSQL 18 wrote, and through rotation."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from migrator.metrics.server_log import Heard, ServerLog

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "%m [%p] %q%u@%d %a %e: "
CSV = """\
2026-11-28 00:13:23.452 UTC,,,8717,,6b0a1ca3.220d,1,,2026-11-28 00:13:23 UTC,,0,LOG,00000,"database system was shut down",,,,,,,,,"","startup",,0
2026-11-28 00:13:23.540 UTC,"app","shop",8725,"127.0.0.1:57664",6b0a1ca3.2215,1,"SELECT",2026-11-28 00:13:23 UTC,1/3,0,ERROR,42501,"permission denied for table identities",,,,,,"SET ROLE shop; SELECT 1 AS ""a"",
 'b,""c'
FROM identities",,,"puma: ""shop"", 1","client backend",,0
2026-11-28 00:13:23.541 UTC,"app","shop",8725,"127.0.0.1:57664",6b0a1ca3.2215,2,"SELECT",2026-11-28 00:13:23 UTC,1/4,0,ERROR,42703,"column ""encrypted_password"" does not exist",,,,,,"SELECT encrypted_password FROM users",20,,"puma: ""shop"", 1","client backend",,0
2026-11-28 00:13:23.542 UTC,"app","shop",8725,"127.0.0.1:57664",6b0a1ca3.2215,3,"SELECT",2026-11-28 00:13:23 UTC,1/5,0,ERROR,22012,"division by zero",,,,,,"SELECT 1/0 FROM identities",,,"puma: ""shop"", 1","client backend",,0
2026-11-28 00:13:23.542 UTC,"app","shop",8725,"127.0.0.1:57664",6b0a1ca3.2215,4,"SELECT",2026-11-28 00:13:23 UTC,1/6,0,ERROR,42P01,"relation ""migrator_control_0a1b"" does not exist",,,,,,"SELECT FROM migrator_control_0a1b",13,,"puma: ""shop"", 1","client backend",,0
2026-11-28 00:13:23.554 UTC,"app","shop",8725,"127.0.0.1:57664",6b0a1ca3.2215,5,"EXECUTE",2026-11-28 00:13:23 UTC,1/8,0,ERROR,0A000,"cached plan must not change result type",,,,,,"EXECUTE p",,,"puma: ""shop"", 1","client backend",,0
2026-11-28 00:13:23.554 UTC,"app","other",8725,"127.0.0.1:57664",6b0a1ca3.2215,5,"EXECUTE",2026-11-28 00:13:23 UTC,1/8,0,ERROR,42P01,"relation ""identities"" does not exist",,,,,,"SELECT FROM identities",,,"psql","client backend",,0
"""
STDERR = """\
2026-11-28 00:13:23.452 UTC [8717] LOG:  database system was shut down
2026-11-28 00:13:23.540 UTC [8725] app@shop puma: "shop", 1 42501: ERROR:  permission denied for view v
2026-11-28 00:13:23.540 UTC [8725] app@shop puma: "shop", 1 42501: STATEMENT:  SET ROLE shop; SELECT 1 AS "a",
\t 'b,"c'
\tFROM identities
2026-11-28 00:13:23.541 UTC [8725] app@shop puma: "shop", 1 42703: ERROR:  column "encrypted_password" does not exist at character 20
2026-11-28 00:13:23.541 UTC [8725] app@shop puma: "shop", 1 42703: STATEMENT:  SELECT encrypted_password FROM users
2026-11-28 00:13:23.541 UTC [8725] app@shop psql 42703: ERROR:  column "encrypted" does not exist at character 20
2026-11-28 00:13:23.541 UTC [8725] app@shop psql 42703: HINT:  Perhaps you meant to reference the column "users.encrypted_password".
2026-11-28 00:13:23.542 UTC [8725] app@shop puma: "shop", 1 22012: ERROR:  division by zero
2026-11-28 00:13:23.542 UTC [8725] app@shop puma: "shop", 1 42P01: ERROR:  relation "migrator_control_0a1b" does not exist at character 13
2026-11-28 00:13:23.554 UTC [8725] app@shop puma: "shop", 1 0A000: ERROR:  cached plan must not change result type
2026-11-28 00:13:23.554 UTC [8725] app@shop puma: "shop", 1 0A000: STATEMENT:  EXECUTE p
2026-11-28 00:13:23.554 UTC [8725] app@other psql 42P01: ERROR:  relation "identities" does not exist at character 13
"""


def _object(state: str, message: str, statement: str, database: str = "shop") -> str:
    found = {"user": "app", "dbname": database, "state_code": state, "message": message}
    return json.dumps(
        {**found, "statement": statement, "application_name": 'puma: "shop", 1', "query_id": 0}
    )


JSON = "\n".join(
    [
        '{"timestamp":"2026-11-28 00:13:23.452 UTC","error_severity":"LOG","message":"42501 things"}',
        _object("42501", "permission denied for view v", "SELECT\n FROM identities"),
        _object("42703", 'column "encrypted_password" does not exist', "SELECT 1"),
        _object("22012", "division by zero", "SELECT 42501/0 FROM identities"),
        _object("42P01", 'relation "migrator_control_0a1b" does not exist', ""),
        _object("0A000", "cached plan must not change result type", "EXECUTE p"),
        _object("42P01", 'relation "identities" does not exist', "", "other"),
        "{ cut off 42501",
        "",
    ]
)


def log_of(path: Path, *, prefix: str = PREFIX) -> ServerLog:
    return ServerLog(
        str(path), prefix, database="shop", names={"identities", "encrypted_password"}
    )


@pytest.mark.parametrize(("name", "text"), [("a.csv", CSV), ("a.log", STDERR), ("a.json", JSON)])
def test_each_format_tells_the_same_and_whatever_is_cut_off_is_read_next_time(
    tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / name
    file.write_text("")
    log = log_of(file)
    heard = log.begin()
    for end in (len(text) // 3, len(text)):
        file.write_text(text[:end])
        heard = Heard.from_json(json.loads(json.dumps(log.listen(heard).to_json())))
    client = 'app (puma: "shop", 1)'
    assert heard.refused == {f"{client}: {state}": 1 for state in ("42501", "42703", "0A000")}
    assert (heard.controls, heard.unproven, heard.count) == (("0a1b",), "", 3)


def test_what_was_written_before_the_beginning_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(JSON)
    log = log_of(file)
    assert log.listen(log.begin()).refused == {}


def test_a_log_is_followed_when_it_is_renamed_and_when_a_new_one_begins(tmp_path: Path) -> None:
    line = _object("42501", "permission denied for table identities", "") + "\n"
    file = tmp_path / "a.json"
    file.write_text(line)
    log = log_of(tmp_path / "*.json")
    heard = log.begin()
    with file.open("a") as more:
        more.write(line)
    file.rename(tmp_path / "a-1.json")
    file.write_text(line)
    heard = log.listen(heard)
    assert (heard.count, heard.unproven) == (2, "")
    assert log.listen(heard).count == 2


def test_an_old_file_may_go_or_begin_anew_but_not_the_one_that_was_written_to(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "mon.json", tmp_path / "tue.json"
    for seconds, file in enumerate((old, new)):
        file.write_text(JSON)
        os.utime(file, (seconds, seconds))
    log = log_of(tmp_path / "*.json")
    heard = log.begin()
    old.write_text(_object("42501", "permission denied for table identities", "") + "\n")
    os.utime(old, (0, 0))
    heard = log.listen(heard)
    assert (heard.count, heard.unproven) == (1, "")
    new.unlink()
    assert "is gone" in log.listen(heard).unproven


@pytest.mark.parametrize(
    ("name", "prefix", "said"),
    [("a.log", "%m [%p] ", "log_line_prefix has no %e"), ("b.log", PREFIX, "there is no file")],
)
def test_a_log_that_cannot_tell_is_unproven(
    tmp_path: Path, name: str, prefix: str, said: str
) -> None:
    (tmp_path / "a.log").write_text(STDERR)
    log = log_of(tmp_path / name, prefix=prefix)
    assert said in log.begin().unproven
    assert said in log.listen(Heard()).unproven


def test_whoever_puts_the_name_of_a_control_into_a_query_is_heard_all_the_same(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.json"
    path.touch()
    log = ServerLog(str(path), PREFIX, database="shop", names=("identities", "at"))
    heard = log.begin()
    query = "SELECT * FROM identities WHERE uid = 'migrator_control_0a1b'"
    control = 'relation "migrator_control_0b" does not exist at character 13'
    lines = [_object("42501", "permission denied", query), _object("42P01", control, "")]
    path.write_text("".join(f"{line}\n" for line in lines))
    found = log.listen(heard)
    assert (found.count, found.controls) == (1, ("0b",))
