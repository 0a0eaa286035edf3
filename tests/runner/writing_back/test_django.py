"""What Django gets: its own values in its own columns, and nothing for its staff."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from migrator.core.errors import RefusedError, UsageError
from migrator.core.stage import Stage
from migrator.runner.plugin_environment import write_back_made_as
from migrator.runner.writing_back.sides import open_tables
from tests.phases.test_p1_django import make
from tests.runner.writing_back.scene import Scene, import_into

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("django-site")
NEWCOMER = "n" * 32
# As the plugin makes them.
ARGON2 = "$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43
PBKDF2 = f"pbkdf2_sha256$1000$salt${'A' * 43}="


@pytest.fixture
def scene(tmp_path: Path, django_db: str, monkeypatch: pytest.MonkeyPatch) -> Scene:
    site = make(tmp_path, django_db, monkeypatch, legacy="", settings="")
    made = import_into(site, settings="new_users = true")
    made.enter(Stage.DUAL)
    return made


def row(scene: Scene, username: str) -> dict[str, Any]:
    return scene.site.row("SELECT * FROM auth_user WHERE username = %s", username)


def auther_id(scene: Scene, username: str) -> str:
    return scene.auther_id(row(scene, username)["id"])


def test_a_password_is_kept_as_django_writes_it(scene: Scene) -> None:
    for username, value, stored in (
        ("scrypt", ARGON2, f"argon2{ARGON2}"),
        ("argon2", PBKDF2, PBKDF2),
    ):
        pk = row(scene, username)["id"]
        scene.new_value(pk, value)
        assert dict(scene.write_back().outcomes) == {"written": 1}
        assert row(scene, username)["password"] == stored
        known = scene.identity(pk)["legacy_hash_fp"]
        assert known == sha256(value.encode()).hexdigest(), "as the import and the sync read it"
    scene.site.sql("UPDATE auth_user SET password = %s WHERE username = 'scrypt'", PBKDF2)
    scene.new_value(row(scene, "scrypt")["id"], ARGON2)
    assert dict(scene.write_back().outcomes) == {"legacy_changed": 1}
    assert row(scene, "scrypt")["password"] == PBKDF2, "changed in the application meanwhile"


def test_a_user_name_that_is_the_address_changes_with_it_unless_somebody_has_it(
    scene: Scene,
) -> None:
    def rename(username: str, email: str) -> None:
        scene.tell("email", auther_id(scene, username), email=email, email_verified=True)

    rename("Mail.Name@example.org", "new.name@example.org")
    rename("scrypt", "other@example.org")
    assert dict(scene.write_back().outcomes) == {"written": 2}
    assert row(scene, "new.name@example.org")["email"] == "new.name@example.org"
    assert row(scene, "scrypt")["email"] == "other@example.org"
    scene.site.sql("UPDATE auth_user SET username = 'x@example.org' WHERE username = 'bcrypt'")
    rename("new.name@example.org", "x@example.org")
    assert dict(scene.write_back().outcomes) == {"email_collision": 1}


def test_a_ban_closes_the_account_and_opens_only_what_it_closed(scene: Scene) -> None:
    for username in ("scrypt", "inactive"):
        scene.tell("ban", auther_id(scene, username))
    scene.tell("delete", auther_id(scene, "bcrypt"))
    assert dict(scene.write_back().outcomes) == {"written": 3}
    assert not row(scene, "scrypt")["is_active"]
    assert not row(scene, "bcrypt")["is_active"]
    for username in ("scrypt", "inactive"):
        scene.tell("unban", auther_id(scene, username))
    scene.write_back()
    assert row(scene, "scrypt")["is_active"]
    assert not row(scene, "inactive")["is_active"], "the application itself had closed it"


def test_of_staff_nothing_is_written_and_they_are_listed(scene: Scene) -> None:
    flags = {"scrypt": "is_staff", "bcrypt": "is_superuser"}
    before = {}
    for username, flag in flags.items():
        scene.site.sql(f"UPDATE auth_user SET {flag} = true WHERE username = %s", username)
        before[username] = row(scene, username)
        user_id = auther_id(scene, username)
        scene.new_value(before[username]["id"], ARGON2)
        scene.tell("email", user_id, email=f"new.{username}@example.org", email_verified=True)
        scene.tell("ban", user_id)
    total = scene.write_back()
    assert (dict(total.outcomes), total.open_users) == ({"privileged": 6}, 2)
    assert {username: row(scene, username) for username in flags} == before


def test_a_newcomer_is_a_user_and_nothing_more(scene: Scene) -> None:
    def sign_up(user_id: str, email: str) -> None:
        sealed = scene.sealed_value(ARGON2, user_id)
        scene.tell("sign_up", user_id, email=email, name="New Person", sealed=sealed)

    scene.site.sql("UPDATE auth_user SET username = 'x@example.org' WHERE username = 'scrypt'")
    sign_up(NEWCOMER, "New@Example.org")
    sign_up("x" * 32, "x@example.org")
    scene.tell("sign_up", "w" * 32, email="without@example.org", name=None)
    total = scene.write_back()
    assert dict(total.outcomes) == {"written": 1, "refused_by_database": 1, "no_password": 1}
    found = row(scene, "new@example.org")
    shown = {name: found[name] for name in ("email", "first_name", "last_name", "password")}
    assert shown == {
        "email": "new@example.org",
        "first_name": "New Person",
        "last_name": "",
        "password": f"argon2{ARGON2}",
    }
    flags = [found[name] for name in ("is_active", "is_staff", "is_superuser", "last_login")]
    assert flags == [True, False, False, None]
    assert found["date_joined"] is not None
    without = row(scene, "without@example.org")["password"]
    assert (without[0], len(without)) == ("!", 41)


def test_rights_that_are_missing_are_named_before_anything_is_written(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"writer_{scene.site.dsn.rpartition('/')[2]}"
    scene.site.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'w'")
    scene.site.sql(f"GRANT SELECT, UPDATE (email, password) ON auth_user TO {role}")
    scene.site.sql(f"GRANT SELECT ON migrator_identity TO {role}")
    place = psycopg.conninfo.conninfo_to_dict(scene.site.dsn)
    url = f"postgresql://{role}:w@{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv("LEGACY_DATABASE_URL", url)
    with pytest.raises(RefusedError) as refused:
        scene.write_back()
    assert refused.value.hint == (
        f'GRANT UPDATE ("is_active", "username"), INSERT ON "public"."auth_user" TO "{role}"'
    )


def test_new_values_are_made_as_most_of_the_newest_rows_are(scene: Scene) -> None:
    ctx = scene.site.ctx
    assert ctx.config.plugin.write_back == "follow"
    assert write_back_made_as(ctx).startswith("argon2:kind=argon2id&m=")
    scene.site.sql("UPDATE auth_user SET password = %s WHERE mod(id, 4) > 0", PBKDF2)
    assert write_back_made_as(ctx) == "django_pbkdf2:iterations=1000"
    scene.site.sql("UPDATE auth_user SET password = md5(password)")
    with pytest.raises(RefusedError, match=r"no password in public\.auth_user is of a scheme"):
        write_back_made_as(ctx)
    scene.site.sql("UPDATE auth_user SET password = '!'")
    assert write_back_made_as(ctx) == "django_pbkdf2:iterations=1000000"


def test_a_scheme_that_the_application_does_not_use_is_refused(scene: Scene) -> None:
    scene.site.sql("UPDATE auth_user SET password = %s WHERE password <> ''", PBKDF2)
    said: dict[str, type[Exception]] = {
        "bcrypt:cost=12": UsageError,
        "argon2:kind=argon2id&m=1024&t=1&p=1": RefusedError,
    }
    for made, kind in said.items():
        with pytest.raises(kind, match=r"plugin\.write_back"):
            write_back_made_as(configured(scene, made))
        with (
            pytest.raises(kind, match=r"plugin\.write_back"),
            open_tables(configured(scene, made), writing=True),
        ):
            pass
    with open_tables(configured(scene, "django_pbkdf2:iterations=5"), writing=True):
        pass


def configured(scene: Scene, made: str) -> Any:
    ctx = scene.site.ctx
    plugin = ctx.config.plugin.model_copy(update={"write_back": made})
    return replace(ctx, config=ctx.config.model_copy(update={"plugin": plugin}))
