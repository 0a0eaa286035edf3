# frozen_string_literal: true

# What the Ruby targets' in-process benchmarks share: tokens, requests, pairs, and what they print. The program has
# loaded the shim before, with the one lookup of a user that both sides of a pair make.
require "json"
require "rack/mock"

PAIRS = 3000
CACHE = 10_000

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

def bearer(text)
  env(HTTP_AUTHORIZATION: "Bearer #{text}")
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

def fresh(plain, guarded)
  Array.new(PAIRS) do |number|
    text = token(number)
    without, with = env, bearer(text)
    pair(number, -> { verify_bare(text) && plain.call(without) }, -> { guarded.call(with) })
  end
end

def cached(plain, guarded)
  seen = token(0)
  guarded.call(bearer(seen))
  Array.new(PAIRS) do |number|
    without, with = env, bearer(seen)
    pair(number, -> { AutherCutover::Identity.resolve({}) && plain.call(without) }, -> { guarded.call(with) })
  end
end

# held: what the session holds for its user.
def legacy(plain, guarded, held)
  Array.new(PAIRS) do |number|
    without, with = Array.new(2) do
      env("rack.session": Session.new.merge!(held), HTTP_COOKIE: "theme=dark; _club_session=x; consent=1")
    end
    pair(number, -> { plain.call(without) }, -> { guarded.call(with) })
  end
end

def memory_kib(guarded)
  Array.new(3) do |round|
    CACHE.times { |number| guarded.call(bearer(token((round + 1) * 100_000 + number))) }
    GC.start
    File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i
  end
end

# quiet: an application that asks for nobody; reading: one that asks who is there. Both by [without, with the shim].
def report(quiet:, reading:, held:)
  puts JSON.generate(library: "ruby-jwt #{JWT::VERSION::STRING}", fresh: fresh(*quiet), cached: cached(*quiet),
                     legacy: legacy(*reading, held), memory_kib: memory_kib(quiet.last))
end
