# frozen_string_literal: true

$LOAD_PATH.unshift(File.expand_path("lib", __dir__))
$stdout.sync = true
require_relative "config/auther_cutover"
require_relative "app"

AutherCutover.integrate(
  database: ENV.fetch("DATABASE_URL"),
  find_user: lambda do |id, moved:|
    user = Users.by_id(id)
    user if user&.active?(moved: moved)
  end,
  sessions: Club::SESSIONS,
  session_store: SESSION_STORE,
  remember_cookie: ClubSessions::REMEMBER,
  sign_in_path: "/login",
  sign_out_path: "/logout",
  doors: { "/login" => "form", "/api/login" => "json" }
)

use(*SESSION_STORE)
use AutherCutover::Middleware
run Club
