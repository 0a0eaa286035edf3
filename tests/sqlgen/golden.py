"""What plans are made of, kept as plain files below tests/golden/remove: `python -m tests.sqlgen.golden` writes them anew."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.application.interface import ApplicationFindings, Place, SessionStore, Sign
from migrator.core.access import Access, Bystander, Role, SchemaRights
from migrator.sqlgen.code_removal import ApplicationCode, CodeRemoval
from migrator.sqlgen.in_order import FILE
from migrator.sqlgen.planfile import Beside, plan_files
from migrator.sqlgen.removal import LockRules, Removal, Rules, make_removal
from migrator.sqlgen.render import render
from migrator.sqlgen.steps import Step
from migrator.sqlgen.usual.registry import USUAL
from migrator.sqlgen.wrap.interface import Wrapped
from migrator.sqlgen.wrap.registry import WRAPPERS
from tests.sqlgen.catalog import COLUMNS, ROLE, TABLES, USERS, kept_catalog
from tests.sqlgen.mariadb_removals import LOGINS, VISITS, made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "remove"
AT = datetime(2026, 11, 28, 23, 59, 58, tzinfo=UTC)
RULES = Rules(
    locks=LockRules(timeout_ms=200, attempts=5),
    application_roles=(ROLE,),
    guard_role="guard",
    scream_window_s=604_800,
    log_watched=True,
    quiet_s=86_400,
    heartbeat_s=60,
    expected=("shop-1", "shop-2"),
    erase="rewrite",
    acknowledged=("lockout",),
    include_secrets=True,
)
ACCESS = Access(
    acting="postgres",
    superuser=True,
    acts_as=(),
    roles=(Role(ROLE, exists=True, superuser=False, member_of=(), hides_errors=False),),
    guard_role="guard",
    guard_role_exists=True,
    rights=(SchemaRights("guard", "public", create=True, usage=True),),
    signed_in=(ROLE,),
)
FINDINGS = ApplicationFindings(
    framework="rails",
    root="/srv/shop",
    files=2,
    versions={},
    models={"User": ("database_authenticatable",)},
    scopes=("users",),
    session_store=SessionStore(),
    settings={},
    secrets_set=(),
    ignores_columns=(),
    signs={
        Sign.LEGACY_COLUMNS: (
            Place("app/models/user.rb", 7, "sign_in_count"),
            Place("app/models/user.rb", 9, "otp_secret"),
        )
    },
    unread={},
)
CODE = CodeRemoval(
    "User",
    USUAL["devise"].code,
    ApplicationCode(
        FINDINGS,
        ("app/models/user.rb", "class User < ApplicationRecord\n  devise :lockable\nend\n"),
        "--- a/lib/shim.rb\n+++ /dev/null\n@@ -1 +0,0 @@\n-Shim\n",
        ("config/application.rb:3 require 'shim'",),
    ),
    still_legacy=("web-1", "web-2"),
)
BESIDE = Beside(
    CODE,
    bystanders=(Bystander("long transaction", "17", "open for 2h"),),
    library_notes=("a note about the library",),
    pooled=True,
)
# The wrappers put the plan's SQL into files of their own, whatever it is.
STEPS = tuple(
    Step(name, f"Does {name}.", "None.", "Nobody.", "At any time.")
    for name in ("01_guard", "05_quarantine_tables", "16_purge_columns", "17_finalize")
)
WRAPPED = Wrapped(
    plan_id="0123456789abcdef",
    made_at=AT,
    steps=STEPS,
    there="""to_regclass('"public"."#{exit}"') IS NOT NULL""",
    sql={
        f"{direction}/{step.name}.sql": f"-- {step.name}\n-- unit: {direction}\nBEGIN;\nSELECT 1;\nCOMMIT;\n"
        for step in STEPS
        for direction in ("deploy", "revert", "verify")
    },
)


def everything() -> Removal:
    """Tables and columns, secrets kept, the table written anew."""
    return _removal(TABLES, COLUMNS, RULES)


def only_columns() -> Removal:
    """No tables; secrets are left out, values are overwritten."""
    rules = replace(RULES, erase="null", include_secrets=False)
    # A check asks for the values of this one.
    return _removal((), tuple(name for name in COLUMNS if name != "confirmation_token"), rules)


def only_tables() -> Removal:
    """No columns; nobody would notice who still uses the tables."""
    return _removal(TABLES, (), replace(RULES, application_roles=(), log_watched=False))


def in_order() -> Removal:
    """Columns that may come back in their old places, in a table with foreign keys and a sequence; secrets left out."""
    rules = replace(RULES, erase="no", include_secrets=False, preserve_order=True)
    return _removal((), tuple(name for name in COLUMNS if name != "confirmation_token"), rules)


def _removal(
    tables: tuple[tuple[str, str], ...], columns: tuple[str, ...], rules: Rules
) -> Removal:
    roles = ACCESS.roles if rules.application_roles else ()
    return make_removal(
        kept_catalog(),
        tables=tables,
        users=USERS,
        columns=columns,
        rules=rules,
        access=replace(ACCESS, roles=roles),
    )


def _wraps() -> dict[str, str]:
    return {
        f"{tool}/{path}": text
        for tool, wrapper in WRAPPERS.items()
        for path, text in wrapper.files(WRAPPED).items()
    }


def _without_the_guard(removal: Removal) -> dict[str, str]:
    """Leave out what one plan has to show, which is long; plan.json has its hash."""
    files = plan_files(removal, Beside(CodeRemoval("User", None)), made_at=AT)
    return {path: text for path, text in files.items() if path not in GUARD}


GUARD = frozenset({"deploy/01_guard.sql", "revert/17_finalize.sql"})
GOLDEN_PLANS: Mapping[str, Callable[[], dict[str, str]]] = {
    "everything": lambda: plan_files(everything(), BESIDE, made_at=AT),
    "only_columns": lambda: _without_the_guard(only_columns()),
    "only_tables": lambda: _without_the_guard(only_tables()),
    "mariadb": lambda: plan_files(made(LOGINS, VISITS), BESIDE, made_at=AT),
    "in_order": lambda: {FILE: render(in_order())[FILE]},
    "wraps": _wraps,
}


def kept(name: str) -> dict[str, str]:
    """Read what is kept."""
    folder = GOLDEN / name
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def main() -> None:
    """Write all of it anew."""
    for name, rendered in GOLDEN_PLANS.items():
        shutil.rmtree(GOLDEN / name, ignore_errors=True)
        for path, text in rendered().items():
            target = GOLDEN / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
