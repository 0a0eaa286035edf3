"""What the tests of the sync do to both sides."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.runner.syncing import commands
from migrator.runner.syncing.passes import PassReport, Wish
from tests.phases.importing import delete_users

if TYPE_CHECKING:
    from tests.phases.importing import Site

# Members 1 to 20 of the dump are plain: bcrypt hashes, confirmed, neither locked nor deleted.
OTHER_HASH = "$2a$04$" + "b" * 53
NATIVE = "0" * 32 + ":" + "0" * 128


def sync(site: Site, **wish: Any) -> PassReport:
    return commands.sync(site.ctx, Wish(**wish))


def touch(site: Site, pk: int, **columns: object) -> None:
    """Change a row as the application does: `updated_at` moves too."""
    names = "".join(f"{name} = %s, " for name in columns)
    query = f"UPDATE users SET {names}updated_at = %s WHERE id = %s"
    site.sql(query, *columns.values(), now_text(), pk)


def now_text() -> str:
    """Now, as Rails writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def vanish(site: Site, *pks: int) -> None:
    """Delete rows as somebody does who knows the database: nothing that refers to them objects."""
    delete_users(site, f"id IN ({', '.join(map(str, pks))})")


def auther_id(site: Site, pk: int) -> str:
    ((found,),) = site.sql("SELECT auther_id FROM migrator_identity WHERE user_pk = %s", str(pk))
    return str(found)


def stored(site: Site, pk: int, columns: str) -> tuple[Any, ...]:
    (found,) = site.auther(f'SELECT {columns} FROM "user" WHERE id = ?', auther_id(site, pk))
    return found


def password(site: Site, pk: int) -> str | None:
    query = "SELECT password FROM account WHERE user_id = ? AND provider_id = 'credential'"
    found = site.auther(query, auther_id(site, pk))
    return found[0][0] if found else None


def fingerprint(site: Site, pk: int) -> str:
    ((found,),) = site.sql(
        "SELECT legacy_hash_fp FROM migrator_identity WHERE user_pk = %s", str(pk)
    )
    return str(found)


def rehash(site: Site, pk: int) -> None:
    """What Auther does at a sign-in."""
    query = "UPDATE account SET password = ?, updated_at = updated_at + 5 WHERE user_id = ? AND provider_id = 'credential'"
    site.auther(query, NATIVE, auther_id(site, pk))


def loosen_brakes(site: Site, **settings: Any) -> Site:
    """Give the site with other settings under [sync]; by default brakes that let a few users through."""
    settings = {"max_bans_share": 0.05, **settings}
    section = site.ctx.config.sync.model_copy(update=settings)
    config = site.ctx.config.model_copy(update={"sync": section})
    return replace(site, ctx=replace(site.ctx, config=config))


def quarantined(site: Site) -> dict[str, str]:
    file = site.root / ".migrator" / "sync-rejects.jsonl"
    if not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {row["id"]: row["reason"] for row in rows}
