"""What the Rails target renders, and how the application refuses to start on half of it."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.conformance.issuer import Issuer
from migrator.shims.interface import ShimSettings
from migrator.shims.rails import RailsTarget
from migrator.shims.ruby import ruby_literal
from tests.parts import require
from tests.parts.rails import prepare, run_generated_test, settings_for, write_shim
from tests.shims.golden import NO_LEGACY, SETTINGS
from tests.shims.rails.club import Club

CONFIGURE = Path(__file__).with_name("configure_driver.rb")


@pytest.mark.parametrize(
    "text",
    ["plain", "", "it's", 'say "x"', "#{exit}", "a\\b", "\\'", "#$0", "ü", "a\nb", "\\\\'\""],
)
def test_a_literal_is_the_text(text: str) -> None:
    require("rails")
    done = subprocess.run(
        ["ruby", "-e", f"print({ruby_literal(text)})"], capture_output=True, check=True
    )
    assert done.stdout.decode() == text


FORMS = {
    "with Devise": SETTINGS,
    "with permissions": replace(SETTINGS, delegate_permissions=True),
    "without a legacy side": NO_LEGACY,
    "without users": replace(NO_LEGACY, users_table=""),
}


@pytest.mark.parametrize("settings", FORMS.values(), ids=FORMS)
def test_every_ruby_file_is_frozen_and_parses_without_a_warning(
    settings: ShimSettings, tmp_path: Path
) -> None:
    require("rails")
    write_shim(tmp_path, settings)
    files = sorted(tmp_path.rglob("*.rb"))
    assert len(files) > 20
    for file in files:
        assert file.read_text().startswith("# frozen_string_literal: true\n")
    # As `ruby -wc` does, for all of them in one process.
    script = "ARGV.each { |file| RubyVM::InstructionSequence.compile_file(file) }"
    done = subprocess.run(
        ["ruby", "-w", "-e", script, *files], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_file_of_the_library_is_left_unloaded() -> None:
    for settings in FORMS.values():
        files = RailsTarget().files(settings)
        loader = files["lib/auther_cutover.rb"]
        for path in files:
            if path.startswith("lib/auther_cutover/"):
                assert f'"{path.removeprefix("lib/").removesuffix(".rb")}"' in loader, path


def test_only_initializer_and_readme_depend_on_the_settings() -> None:
    blank = ShimSettings.placeholders()
    one = RailsTarget().files(blank)
    other = RailsTarget().files(replace(blank, client_id="client", namespace="n", source="Admin"))
    changed = {path for path in one if one[path] != other[path]}
    assert changed == {"config/initializers/auther_cutover.rb", "docs/auther_cutover.md"}


def test_nothing_generated_names_this_toolkit_as_a_dependency() -> None:
    for text in RailsTarget().files(ShimSettings.placeholders()).values():
        assert 'require "migrator' not in text


def boot(club: Club, settings: ShimSettings) -> str:
    """Boot the application on other settings; give what it says when it refuses."""
    path = "config/initializers/auther_cutover.rb"
    file = club.app.folder / path
    kept = file.read_text()
    file.write_text(RailsTarget().files(settings)[path])
    try:
        done = club.app.run("bundle", "exec", "ruby", "-r./config/environment", "-e", "puts :up")
    finally:
        file.write_text(kept)
    return done.stdout if done.returncode == 0 else done.stderr


def test_placeholders_refuse_to_boot_by_name(running_club: Club) -> None:
    said = boot(running_club, ShimSettings.placeholders())
    assert "Misconfigured" in said
    for name in ShimSettings.placeholders().missing():
        assert name in said


def configured(club: Club, settings: list[ShimSettings]) -> list[str]:
    """Configure the generated library once for each; give what it says, "" when content."""
    path = "config/initializers/auther_cutover.rb"
    texts = [RailsTarget().files(one)[path].split("AutherCutover.install")[0] for one in settings]
    done = subprocess.run(
        ["bundle", "exec", "ruby", "-Ilib", str(CONFIGURE)],
        cwd=club.app.folder,
        env=club.app.environment,
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    said: list[str] = json.loads(done.stdout)
    return said


FOREIGN = """
require "rails"
require "active_support/all"
require "auther_cutover"
settings = AutherCutover::Settings.new(foreign_paths: %w[/api /v1/])
puts ARGV.select { |path| settings.foreign_path?(path) }
"""


def test_a_foreign_path_ends_at_a_slash(running_club: Club) -> None:
    paths = ["/api", "/api/x", "/apiary", "/v1/x", "/v1x", "/", "//api/x"]
    done = running_club.app.run("bundle", "exec", "ruby", "-Ilib", "-e", FOREIGN, *paths)
    assert done.stdout.split() == ["/api", "/api/x", "/v1/x"], done.stderr


def test_addresses_must_be_https_or_loopback(running_club: Club) -> None:
    good = settings_for(running_club.issuer)(4000, running_club.app.stage.public_key)
    cases = [
        (name, replace(good, **{name: url}))
        for name in ("jwks_url", "token_url", "authorize_url", "redirect_uri")
        for url in (
            "http://auther.example/x",
            "http://localhost.evil.example/",
            "ftp://a/x",
            "no url",
        )
    ]
    content, *refused = configured(running_club, [good, *(settings for _, settings in cases)])
    assert content == ""
    for (name, _), said in zip(cases, refused, strict=True):
        assert name in said


def test_a_stage_key_that_is_none_is_named(running_club: Club) -> None:
    keys = ["c2hvcnQ", "", "!!", "A" * 44]
    settings = [settings_for(running_club.issuer)(4000, key) for key in keys]
    for key, said in zip(keys, configured(running_club, settings), strict=True):
        assert "stage_public_key" in said, key


def test_https_gives_host_cookies(running_club: Club) -> None:
    club = running_club
    good = settings_for(club.issuer)(4000, club.app.stage.public_key)
    secure = replace(good, redirect_uri="https://club.example/auth/auther/callback")
    text = RailsTarget().files(secure)["config/initializers/auther_cutover.rb"]
    script = (
        text.split("AutherCutover.install")[0] + 'print AutherCutover.settings.cookie_name("x")'
    )
    prelude = 'require "rails"; require "active_support/all"; Rails.logger = Logger.new(nil)\n'
    prelude += "Rails.define_singleton_method(:root) { Pathname.new(Dir.pwd) }\n"
    assert (
        club.app.run("bundle", "exec", "ruby", "-Ilib", "-e", prelude + script).stdout
        == "__Host-x"
    )


def test_the_generated_test_passes_in_the_application(club_dsn: str) -> None:
    require("rails")
    with Issuer() as issuer:
        app = prepare(club_dsn, settings_for(issuer))
        try:
            run_generated_test(app)
        finally:
            app.remove()
