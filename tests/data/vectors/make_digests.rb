# Values of devise-encryptable's and Authlogic's own classes.
#
#   ruby make_digests.rb DEVISE_ENCRYPTABLE AUTHLOGIC > digests.json
#
# The arguments are checkouts of the two gems (devise-encryptable 0.2.0, authlogic 6).
require "digest"
require "json"

encryptable, authlogic = ARGV
load "#{encryptable}/lib/devise/encryptable/encryptors/base.rb"
%w[sha1 sha512 restful_authentication_sha1 authlogic_sha512 clearance_sha1].each do |name|
  load "#{encryptable}/lib/devise/encryptable/encryptors/#{name}.rb"
end
%w[sha1 sha512 sha1/v2 sha512/v2 sha256].each do |name|
  load "#{authlogic}/lib/authlogic/crypto_providers/#{name}.rb"
end

PASSWORDS = ["correct horse", " trailing ", "Cr\u00e8me", "Cre\u0300me", "ключ 🔑", "nul\0inside", "p" * 100]
SALTS = ["Ub3yd8nVy6gAyCQ5tbFa", "s:a&l t+%é"]

def encryptor(name)
  Devise::Encryptable::Encryptors.const_get(name)
end

def provider(name, stretches)
  found = Authlogic::CryptoProviders.const_get(name)
  found.stretches = stretches
  found
end

rows = []
PASSWORDS.product(SALTS, [nil, "c0ffee5ca1ab1e0d" * 8]).each_with_index do |(password, salt, pepper), index|
  stretches = [1, 10, 20][index % 3]
  common = { password: password, salt: salt }
  {
    "encryptable_sha1" => "Sha1",
    "encryptable_sha512" => "Sha512",
    "restful_authentication_sha1" => "RestfulAuthenticationSha1",
  }.each do |scheme, name|
    value = encryptor(name).digest(password, stretches, salt, pepper)
    rows << { declared: { scheme: scheme, stretches: stretches }, value: value, pepper: pepper.to_s, **common }
  end
  next if pepper

  [
    [{ scheme: "authlogic_sha512", stretches: stretches }, encryptor("AuthlogicSha512").digest(password, stretches, salt, nil)],
    [{ scheme: "authlogic_sha512", stretches: stretches }, provider("Sha512", stretches).encrypt(password, salt)],
    [{ scheme: "authlogic_sha1", stretches: stretches }, provider("Sha1", stretches).encrypt(password, salt)],
    [{ scheme: "clearance_sha1" }, encryptor("ClearanceSha1").digest(password, stretches, salt, nil)],
    [{ scheme: "template", algorithm: "sha256", first: "{password}{salt}", template: "{digest}", stretches: stretches },
     provider("Sha256", stretches).encrypt(password, salt)],
    [{ scheme: "template", algorithm: "sha512", first: "{password}{salt}", template: "{digest}", between: "raw", stretches: stretches },
     Authlogic::CryptoProviders::Sha512::V2.tap { |made| made.stretches = stretches }.encrypt(password, salt)],
    [{ scheme: "template", algorithm: "sha1", first: "{password}", template: "{digest}--{salt}", between: "raw", stretches: stretches },
     Authlogic::CryptoProviders::Sha1::V2.tap { |made| made.stretches = stretches }
       .then { |made| made.encrypt(password.b, salt.b) }],
  ].each { |declared, value| rows << { declared: declared, value: value, pepper: "", **common } }
end
puts JSON.pretty_generate(rows)
