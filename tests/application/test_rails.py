"""What a Rails application's source says, found as code and not as words."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from migrator.application.interface import ApplicationFindings, Sign
from migrator.application.readers import read_application
from migrator.core.errors import UsageError
from tests.application.apps import said, write
from tests.parts import require

SHOP = {
    "Gemfile": "",
    "Gemfile.lock": """GEM
  remote: x
  specs:
    devise (4.8.1)
      warden (~> 1.2.3)
    devise-jwt (0.9.0)
    rails (6.1.7)

DEPENDENCIES
  rails
""",
    "config/application.rb": "module Shop; end",
    "config/routes.rb": """Rails.application.routes.draw do
  devise_for :members, controllers: { sessions: "members/sessions" }
  devise_for :admins
  use_doorkeeper
end
""",
    "config/initializers/devise.rb": """Devise.setup do |config|
  # config.remember_for = 9.weeks
  config.remember_for = 3.weeks
  config.pepper = "topsecretpepper"
  config.secret_key = ENV["KEY"]
  config.lock_strategy = :failed_attempts
  config.unlock_in = 2.hours
end
""",
    "config/initializers/session_store.rb": (
        'Rails.application.config.session_store :active_record_store, key: "_s", expire_after: 14.days\n'
    ),
    "app/models/member.rb": """class Member < ApplicationRecord
  self.ignored_columns += [
    "sign_in_count",
  ]
  devise :database_authenticatable, :rememberable,
         :jwt_authenticatable, timeout_in: 30.minutes
  def stale?
    sign_in_count.zero? && self[:last_sign_in_at].nil?
  end
  scope :old, -> { where("confirmation_sent_at < ?", 1.year.ago) }
end
""",
    "app/models/admin.rb": "class Admin < ApplicationRecord\n  devise :database_authenticatable\nend\n",
    "app/controllers/api_controller.rb": """class ApiController < ApplicationController
  # sign_in(user) would be wrong here
  def create
    user = Member.find_by(email: params[:email])
    return unless user.valid_password?(params[:password])
    sign_in user, store: false
    bypass_sign_in(user)
    session[:user_id] = user.id
    render plain: "use sign_in(user) FROM membership"
  end
  def token
    request.headers["Authorization"]
    authenticate_with_http_token { |t| t }
  end
  def change
    params.permit(:current_password, :password)
    current_password
  end
end
""",
    "lib/reports.rb": """class Reports
  SQL = <<~QUERY
    SELECT count(*)
    FROM public."members" m
    JOIN members_roles r ON true
  QUERY
  def run = connection.execute("UPDATE members SET name = 1")
end
""",
    "lib/hooks.rb": """Warden::Manager.after_set_user { |u, a, o| }
Warden::Strategies.add(:magic_link) { }
""",
    "app/views/layout.html.erb": (
        '<a href="x">x</a>\n<%= link_to "In", new_member_session_path %>\n'
    ),
    "vendor/gems/x.rb": "sign_in(user)",
    "spec/a_spec.rb": "sign_in(user)",
    "db/migrate/1_a.rb": 'execute "UPDATE members SET x = 1"',
    "app/broken.rb": "class (((\ndef sign_in_and_redirect user\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ApplicationFindings:
    root = write(tmp_path_factory.mktemp("shop"), SHOP)
    return read_application(root, users_table="public.members")


API = "app/controllers/api_controller.rb"


@pytest.mark.parametrize(
    ("sign", "places"),
    [
        (Sign.SIGNS_IN, [f"{API}:6 sign_in"]),
        (Sign.BYPASSES_HOOKS, [f"{API}:7 bypass_sign_in"]),
        (
            Sign.CHECKS_PASSWORD,
            [
                f"{API}:5 valid_password?",
                f"{API}:16 current_password",
                f"{API}:17 current_password",
            ],
        ),
        (Sign.OWN_SESSION_KEY, [f"{API}:8 session[user_id]"]),
        (Sign.HOOKS, ["lib/hooks.rb:1 after_set_user"]),
        (Sign.STRATEGIES, ["lib/hooks.rb:2 magic_link"]),
        (Sign.LOGIN_LINKS, ["app/views/layout.html.erb:2 new_member_session_path"]),
        (
            Sign.FOREIGN_BEARERS,
            [
                f"{API}:12 reads the Authorization header",
                f"{API}:13 authenticate_with_http_token",
                "app/models/member.rb:5 devise :jwt_authenticatable",
                "config/routes.rb:4 use_doorkeeper",
                "Gemfile.lock devise-jwt",
            ],
        ),
        (
            Sign.LEGACY_COLUMNS,
            [
                "app/models/member.rb:8 sign_in_count",
                "app/models/member.rb:8 last_sign_in_at",
                "app/models/member.rb:10 confirmation_sent_at",
            ],
        ),
        (
            Sign.USERS_IN_SQL,
            ['lib/reports.rb:4 FROM public."members"', "lib/reports.rb:7 UPDATE members"],
        ),
    ],
)
def test_signs_are_found_where_they_stand_and_nowhere_else(
    shop: ApplicationFindings, sign: Sign, places: list[str]
) -> None:
    assert said(shop, sign) == places


def test_models_scopes_versions_and_store(shop: ApplicationFindings) -> None:
    assert shop.framework == "rails"
    assert shop.models == {
        "Member": ("database_authenticatable", "rememberable", "jwt_authenticatable"),
        "Admin": ("database_authenticatable",),
    }
    assert shop.scopes == ("members", "admins")
    assert shop.versions == {"rails": "6.1.7", "devise": "4.8.1", "devise-jwt": "0.9.0"}
    assert (shop.session_store.kind, shop.session_store.expires) == ("activerecord", "14.days")
    assert shop.ignores_columns == ("Member",)


def test_settings_are_read_and_secrets_only_named(shop: ApplicationFindings) -> None:
    assert shop.settings == {
        "timeout_in": "30.minutes",
        "remember_for": "3.weeks",
        "unlock_in": "2.hours",
    }
    assert shop.secrets_set == ("pepper", "secret_key")
    assert "topsecret" not in repr(shop)


def test_what_cannot_be_read_is_named_and_links_lead_nowhere(tmp_path: Path) -> None:
    root = write(tmp_path / "app", {**SHOP, "lib/large.rb": "#" * 2_000_000})
    outside = write(tmp_path, {"outside.rb": "sign_in(user)"}) / "outside.rb"
    (root / "lib" / "link.rb").symlink_to(outside)
    (root / "lib" / "binary.rb").write_bytes(bytes(range(256)))
    found = read_application(root, users_table="members")
    assert found.unread == {"lib/large.rb": "larger than 1024 KiB"}
    assert all("link.rb" not in place for place in said(found, Sign.SIGNS_IN))


def test_a_folder_without_a_known_framework_is_refused(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError, match=r"rails|not a folder"):
            read_application(root, users_table="users")


def test_devise_itself_is_read_like_any_other_code(tmp_path: Path) -> None:
    require("rails")
    where = "puts Gem::Specification.find_by_name('devise').gem_dir"
    gem = subprocess.run(["ruby", "-e", where], capture_output=True, text=True, check=True)
    root = write(tmp_path, {"Gemfile": "", "config/application.rb": ""})
    for folder in ("app", "lib"):
        shutil.copytree(Path(gem.stdout.strip()) / folder, root / folder)
    found = read_application(root, users_table="users")
    assert found.unread == {}
    controllers = {
        place.path.rpartition("/")[2]
        for place in found.places(Sign.SIGNS_IN)
        if "controllers/devise/" in place.path
    }
    assert controllers == {
        "passwords_controller.rb",
        "registrations_controller.rb",
        "sessions_controller.rb",
    }
    assert any(place.what == "bypass_sign_in" for place in found.places(Sign.BYPASSES_HOOKS))
