# frozen_string_literal: true

# Signs a token with each kind of key that Auther may publish, and asks the key set's own keys about it and about spoilt ones.
require "digest"
require "json"
require "jwt"
require "rbnacl"

LIBRARY = ARGV.fetch(0)
%w[errors token key_set].each { |name| require File.join(LIBRARY, name) }

ed25519 = RbNaCl::SigningKey.generate
SIGNERS = { "EdDSA" => ed25519, "ES256" => OpenSSL::PKey::EC.generate("prime256v1"),
            "RS256" => OpenSSL::PKey::RSA.generate(2048) }.freeze
okp = { "kty" => "OKP", "crv" => "Ed25519", "kid" => "EdDSA",
        "x" => JWT::Base64.url_encode(ed25519.verify_key.to_bytes) }
others = %w[ES256 RS256].map do |name|
  JSON.parse(JSON.generate(JWT::JWK.new(SIGNERS[name]).export)).merge("kid" => name)
end
KEYS = AutherCutover::KeySet.new("http://127.0.0.1/").send(:import, "keys" => [okp, *others])

def signed?(name, text)
  KEYS.fetch(name).signed?(AutherCutover::Token.new(text))
end

said = SIGNERS.to_h do |name, signer|
  token = JWT.encode({ sub: "alice", iat: 1_800_000_000_000, exp: 1 }, signer, name, kid: name)
  header, claims, signature = token.split(".")
  turned = JWT::Base64.url_encode(JWT::Base64.url_decode(signature).reverse)
  others = (SIGNERS.keys - [name]).map { |other| JWT.encode({ sub: "alice" }, SIGNERS[other], other, kid: name) }
  bent = [[header, JWT::Base64.url_encode('{"sub":"bob"}'), signature], [header, claims, turned],
          [header, claims, "#{signature}AAAA"], [header, claims, "A" * 86]].map { |parts| parts.join(".") }
  [name, [signed?(name, token), *[*bent, *others].map { |text| signed?(name, text) }]]
end
puts JSON.generate(said)
