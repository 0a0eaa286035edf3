"""What Laravel gets: PHP's form of a hash, no old reset link, no browser that goes on by itself."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import bcrypt
import pytest

from migrator.core.errors import RefusedError
from migrator.core.stage import Stage
from migrator.runner.plugin_environment import write_back_made_as
from tests.phases.test_p1_laravel import make
from tests.runner.writing_back.scene import Scene, import_into

if TYPE_CHECKING:
    from pathlib import Path

NEWCOMER = "n" * 32
WORD = "a word from Auther"
BCRYPT = bcrypt.hashpw(WORD.encode(), bcrypt.gensalt(4, prefix=b"2a")).decode()
ARGON2 = "$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43
ZONE = 'kind = "laravel"\ntime_zone = "Asia/Kathmandu"'


@pytest.fixture
def scene(tmp_path: Path, laravel_db: str, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return enter(tmp_path, laravel_db, monkeypatch)


def enter(root: Path, dsn: str, monkeypatch: pytest.MonkeyPatch, zone: str = "") -> Scene:
    site = make(root, dsn, monkeypatch)
    if zone:
        file = root / "migrator.toml"
        file.write_text(file.read_text().replace('kind = "laravel"', zone))
    made = import_into(site, settings="new_users = true")
    made.enter(Stage.DUAL)
    return made


def row(scene: Scene, name: str) -> dict[str, Any]:
    return scene.site.row("SELECT * FROM users WHERE name = %s", f"Ada {name}")


def auther_id(scene: Scene, name: str) -> str:
    return scene.auther_id(row(scene, name)["id"])


def sign_up(scene: Scene, **more: Any) -> None:
    sealed = scene.sealed_value(BCRYPT, NEWCOMER)
    scene.tell("sign_up", NEWCOMER, email="New@Example.org", sealed=sealed, **more)


def test_a_password_is_kept_as_php_writes_it_and_what_hung_on_the_old_one_ends(
    scene: Scene,
) -> None:
    remembered = row(scene, "remembered")["remember_token"]
    links = "SELECT count(*) FROM password_resets WHERE email = 'bcrypt_4@example.org'"
    assert scene.site.sql(links) == [(1,)]
    written = {"remembered": (BCRYPT, f"$2y${BCRYPT[4:]}"), "bcrypt_4": (ARGON2, ARGON2)}
    for name, (value, _) in written.items():
        scene.new_value(row(scene, name)["id"], value)
    assert dict(scene.write_back().outcomes) == {"written": 2}
    for name, (_, stored) in written.items():
        user = row(scene, name)
        assert user["password"] == stored
        known = scene.identity(user["id"])["legacy_hash_fp"]
        assert known == sha256(stored.encode()).hexdigest()
    assert scene.site.sql(links) == [(0,)]
    renewed = row(scene, "remembered")["remember_token"]
    assert (len(renewed), renewed != remembered) == (60, True)


def test_an_address_goes_over_and_a_proof_with_it(scene: Scene) -> None:
    scene.tell("email", auther_id(scene, "argon2i"), email="new@x.org", email_verified=True)
    own = row(scene, "unverified")["email"]
    scene.tell("email", auther_id(scene, "unverified"), email=own, email_verified=True)
    scene.tell("email", auther_id(scene, "bcrypt_8"), email="boss@x.org", email_verified=False)
    assert dict(scene.write_back().outcomes) == {"written": 2, "email_unproven": 1}
    assert row(scene, "argon2i")["email"] == "new@x.org"
    assert row(scene, "unverified")["email_verified_at"] is not None
    assert row(scene, "bcrypt_8")["email"] == "bcrypt_8@example.org"


def test_who_is_deleted_there_is_deleted_softly_and_a_ban_has_no_column(scene: Scene) -> None:
    scene.tell("delete", auther_id(scene, "bcrypt_4"))
    scene.tell("ban", auther_id(scene, "bcrypt_8"))
    assert dict(scene.write_back().outcomes) == {"written": 1, "no_column": 1}
    assert row(scene, "bcrypt_4")["deleted_at"] is not None


def test_a_newcomer_is_written_as_laravel_would(scene: Scene) -> None:
    sign_up(scene, name="Ada New", email_verified=True)
    scene.tell("sign_up", "w" * 32, email="without@example.org", name="Ada Without")
    assert dict(scene.write_back().outcomes) == {"written": 1, "no_password": 1}
    new, without = row(scene, "New"), row(scene, "Without")
    assert (new["email"], new["password"]) == ("new@example.org", f"$2y${BCRYPT[4:]}")
    assert None not in {new["email_verified_at"], new["created_at"], new["updated_at"]}
    assert without["email_verified_at"] is None
    assert without["password"].startswith("$2y$04$")


def test_times_are_the_applications_own(
    tmp_path: Path, laravel_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = enter(tmp_path, laravel_db, monkeypatch, ZONE)
    scene.new_value(row(scene, "bcrypt_4")["id"], BCRYPT)
    scene.tell(
        "email",
        auther_id(scene, "unverified"),
        email="unverified@example.org",
        email_verified=True,
    )
    scene.write_back()
    now = scene.site.ctx.clock.now()
    there = [row(scene, "bcrypt_4")["updated_at"], row(scene, "unverified")["email_verified_at"]]
    assert [str(at - now.replace(tzinfo=None)) for at in there] == ["5:45:00"] * 2


def test_the_right_to_end_reset_links_is_asked_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"writer_{scene.site.dsn.rpartition('/')[2]}"
    scene.site.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'w'")
    scene.site.sql(f"GRANT SELECT, INSERT, UPDATE ON users TO {role}")
    scene.site.sql(f"GRANT SELECT ON migrator_identity, password_resets TO {role}")
    place = scene.site.dsn.partition("@")[2]
    monkeypatch.setenv("LEGACY_DATABASE_URL", f"postgresql://{role}:w@{place}")
    with pytest.raises(RefusedError) as refused:
        scene.write_back()
    assert refused.value.hint == (
        f'GRANT SELECT, DELETE ON "public"."password_resets" TO "{role}"'
    )


def test_new_values_cost_what_those_of_the_application_do(scene: Scene) -> None:
    assert write_back_made_as(scene.site.ctx) == "bcrypt:cost=4&pepper=none"
    scene.site.sql("UPDATE users SET password = %s", f"$2y$11${BCRYPT[7:]}")
    assert write_back_made_as(scene.site.ctx) == "bcrypt:cost=11&pepper=none"
    scene.site.sql("UPDATE users SET password = %s", ARGON2)
    assert write_back_made_as(scene.site.ctx) == "argon2:kind=argon2id&m=1024&t=1&p=1"
