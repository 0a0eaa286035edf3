# frozen_string_literal: true

# The Rails target's in-process benchmark; `bench_shim` runs it in a folder with freshly generated files.
# The lookup of the user is the same constant on both sides; Warden is the real one.
ENV["RAILS_ENV"] = "test"
require "json"
require "logger"
require "rails"
require "action_controller/railtie"
require "action_dispatch/middleware/cookies"
require "active_support/all"
require "warden"

PAIRS = 3000
CACHE = 10_000

class Bench < Rails::Application
  config.session_store :cookie_store, key: "_club_session"
end

class User
  attr_reader :id

  def initialize(id)
    @id = id
  end

  def active_for_authentication?
    true
  end
end

ALICE = User.new(7)
Person = Struct.new(:user)

module AutherCutover
  # In place of the generated one, which asks the database.
  class Identity
    FOUND = Person.new(ALICE)

    def self.resolve(_claims, **)
      FOUND
    end
  end

  class SideConnection
    def self.values(*)
      []
    end
  end
end

Warden::Manager.serialize_from_session(:user) { |_key| ALICE }
Rails.logger = Logger.new(File::NULL, formatter: ->(_level, _time, _name, text) { "#{text}\n" })
$LOAD_PATH.unshift(File.join(Dir.pwd, "lib"))
eval(File.read("config/initializers/auther_cutover.rb").split("AutherCutover.install").first)

SIGNING_KEY = RbNaCl::SigningKey.generate
KEY = AutherCutover::KeySet::Key.new("EdDSA", SIGNING_KEY.verify_key)
JWK = { kty: "OKP", crv: "Ed25519", kid: "k1", x: JWT::Base64.url_encode(SIGNING_KEY.verify_key.to_bytes) }.freeze
# All of it but the network.
AutherCutover.key_set.define_singleton_method(:download) { JSON.generate(keys: [JWK]) }

class Session < Hash
  def loaded?
    true
  end
end

APPLICATION = ->(_env) { [200, {}, ["ok"]] }
# As a page does that asks for current_user.
READER = lambda do |env|
  env["warden"].user(:user)
  [200, {}, ["ok"]]
end

def settings
  AutherCutover.settings
end

def token(number)
  now = Time.now.to_i
  claims = { iss: settings.issuers[0], aud: settings.audiences[0], sub: "u" * 32, iat: now, exp: now + 172_800,
             nonce: number.to_s.rjust(43, "0"), acr: "urn:mace:incommon:iap:silver", name: "Alice Example",
             given_name: "Alice", family_name: "Example", email: "alice@example.org", email_verified: true }
  JWT.encode(claims, SIGNING_KEY, "EdDSA", kid: "k1")
end

def env(**more)
  Rack::MockRequest.env_for(
    "https://club.example.org/api/members?page=2",
    "HTTP_USER_AGENT" => "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
    "HTTP_ACCEPT" => "application/json", "HTTP_SEC_FETCH_MODE" => "cors", "HTTP_SEC_FETCH_SITE" => "same-origin",
    "HTTP_ACCEPT_LANGUAGE" => "en", "HTTP_X_FORWARDED_FOR" => "192.0.2.7", "rack.session" => Session.new,
    **more.transform_keys(&:to_s)
  )
end

def now_ns
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def timed
  began = now_ns
  yield
  now_ns - began
end

# Each first in every other pair.
def pair(number, bare, shim)
  return [timed(&bare), timed(&shim)] if number.even?

  took = timed(&shim)
  [timed(&bare), took]
end

def verify_bare(text)
  claims, = JWT.decode(text, KEY.verify_key, true, algorithms: ["EdDSA"], verify_expiration: true, verify_iat: false,
                                                   verify_aud: true, aud: settings.audiences, verify_iss: true,
                                                   iss: settings.issuers, required_claims: %w[exp sub], leeway: 30)
  AutherCutover::Identity.resolve(claims)
end

def measure(plain, guarded)
  Array.new(PAIRS) { |number| yield number, plain, guarded }
end

plain = Warden::Manager.new(APPLICATION)
guarded = Warden::Manager.new(AutherCutover::Middleware.new(APPLICATION))

fresh = measure(plain, guarded) do |number, bare, shim|
  text = token(number)
  without, with = env, env(HTTP_AUTHORIZATION: "Bearer #{text}")
  pair(number, -> { verify_bare(text) && bare.call(without) }, -> { shim.call(with) })
end

seen = token(0)
guarded.call(env(HTTP_AUTHORIZATION: "Bearer #{seen}"))
cached = measure(plain, guarded) do |number, bare, shim|
  without, with = env, env(HTTP_AUTHORIZATION: "Bearer #{seen}")
  pair(number, -> { AutherCutover::Identity.resolve({}) && bare.call(without) }, -> { shim.call(with) })
end

reading = Warden::Manager.new(READER)
guarded_reading = Warden::Manager.new(AutherCutover::Middleware.new(READER))
legacy = measure(reading, guarded_reading) do |number, bare, shim|
  both = Array.new(2) do
    env("rack.session": Session.new.merge!("warden.user.user.key" => [[7], "salt"]),
        HTTP_COOKIE: "theme=dark; _club_session=x; consent=1")
  end
  pair(number, -> { bare.call(both[0]) }, -> { shim.call(both[1]) })
end

memory = Array.new(3) do |round|
  CACHE.times { |number| guarded.call(env(HTTP_AUTHORIZATION: "Bearer #{token((round + 1) * 100_000 + number)}")) }
  GC.start
  File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i
end

puts JSON.generate(library: "ruby-jwt #{JWT::VERSION::STRING}", fresh: fresh, cached: cached, legacy: legacy,
                   memory_kib: memory)
