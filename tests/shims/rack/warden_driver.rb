# frozen_string_literal: true

# Puts the shim behind a real Warden, with the adapter of its README (the first argument), in the folder of the shim.
# Prints a JSON object of what came out.
ENV["MIGRATOR_COOKIE_SECRET"] = "c" * 40
ENV["RACK_ENV"] = "test"
$LOAD_PATH.unshift(File.join(Dir.pwd, "lib"))
require "json"
require "rack"
require "warden"
require File.join(Dir.pwd, "config/auther_cutover")
eval(ARGV.fetch(0)) # rubocop:disable Security/Eval (the README's own code)

User = Struct.new(:id)
SIGNING_KEY = RbNaCl::SigningKey.generate
KEY = AutherCutover::KeySet::Key.new("EdDSA", SIGNING_KEY.verify_key)
AutherCutover.key_set.define_singleton_method(:find) { |_kid| KEY }
AutherCutover.key_set.define_singleton_method(:version) { "1" }
# The database as far as it is asked: alice is user 1.
ALICE = { auther_id: "alice", user_pk: "1", home: "legacy", pinned_reason: nil, auth_valid_after: nil, buried: nil }.freeze
AutherCutover::Database.define_singleton_method(:row) do |_sql, _source, value|
  ALICE.transform_keys(&:to_s) if %w[alice 1].include?(value)
end
AutherCutover::SideConnection.define_singleton_method(:values) { |*| [] }

# The thread of the server asks for it with each request.
module AutherCutover
  class << self
    attr_accessor :stage
  end
end

def stage(name)
  AutherCutover.stage =
    AutherCutover::StageDocument.new(stage: name, percent: 0.0, salt: "", epoch: 1, cohorts: [], source: "live")
end

Warden::Manager.serialize_into_session(&:id)
Warden::Manager.serialize_from_session { |id| User.new(id) }
Warden::Strategies.add(:form) do
  def valid?
    params["id"]
  end

  def authenticate!
    success!(User.new(params["id"]))
  end
end

STORE = [Rack::Session::Pool, { key: "of-the-test" }].freeze
AutherCutover.logger = Logger.new(nil)
AutherCutover.integrate(
  database: "", find_user: ->(id, moved:) { User.new(id) }, sessions: WardenSessions.new,
  session_store: STORE, sign_in_path: "/login", sign_out_path: "/logout", doors: { "/login" => "form" }
)

# Whoever asks Warden sees whom the shim has decided for.
application = lambda do |env|
  warden = env["warden"]
  warden.authenticate! if env["PATH_INFO"] == "/login"
  [200, {}, [JSON.generate(user: warden.user&.id, seen: AutherCutover.user(env)&.id)]]
end
failure = ->(_env) { [401, {}, ["please sign in"]] }
guarded = Warden::Manager.new(AutherCutover::Middleware.new(application), default_strategies: [:form], failure_app: failure)
APP = Rack::MockRequest.new(STORE[0].new(guarded, STORE[1]))

def token
  settings = AutherCutover.settings
  claims = { iss: settings.issuers.first, aud: settings.audiences.first, sub: "alice",
             iat: Time.now.to_i, exp: Time.now.to_i + 600 }
  JWT.encode(claims, SIGNING_KEY, "EdDSA", kid: "k")
end

def ask(path = "/", cookie: nil, bearer: false, **options)
  headers = { "HTTP_COOKIE" => cookie, "HTTP_AUTHORIZATION" => ("Bearer #{token}" if bearer) }.compact
  APP.get(path, headers.merge(options.transform_keys(&:to_s)))
end

def seen(**options)
  JSON.parse(ask(**options).body)
end

def sign_in(id)
  ask("/login?id=#{id}", HTTP_ACCEPT: "text/html")
end

def cookie_of(answer)
  answer["Set-Cookie"][/\A[^;]+/]
end

stage("dual")
alice, bob = %w[1 2].map { |id| cookie_of(sign_in(id)) }
said = {
  session: seen(cookie: alice), token: seen(bearer: true), both: seen(cookie: alice, bearer: true),
  conflict: ask(cookie: bob, bearer: true).status, nobody: ask("/login").status,
  detector: AutherCutover::DetectionControl.new.sees_fixture?
}
said[:cookie_of_a_token] = ask(bearer: true)["Set-Cookie"]
stage("drain")
closed = sign_in("1")
said.merge!(closed: [closed.status, closed["Location"]], goes_on: seen(cookie: bob))
stage("auther")
said[:ended] = ask(cookie: bob).status
puts JSON.generate(said)
