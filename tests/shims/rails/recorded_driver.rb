# frozen_string_literal: true

# Verifies what a running Auther once gave, so many seconds after it gave it. Arguments: the initializer, the seconds.
# Recording on standard input; a line of JSON for each time, each in a process of its own.
require "json"
require "rails"
require "active_support/all"

Rails.logger = Logger.new(File::NULL)
Rails.define_singleton_method(:root) { Pathname.new(Dir.pwd) }
require "auther_cutover"

recorded = JSON.parse($stdin.read)
eval(ARGV.fetch(0)) # rubocop:disable Security/Eval (the initializer under test)

AutherCutover.key_set.define_singleton_method(:download) { JSON.generate(recorded["jwks"]) }
$stdout.sync = true
ARGV.drop(1).each do |later_s|
  child = fork do
    now = Time.at(recorded["recorded_at_s"] + Integer(later_s))
    Time.define_singleton_method(:now) { now }

    said = %w[id_token set_auth_jwt].map do |name|
      AutherCutover.token_verifier.verify(recorded[name]["token"])["sub"]
    rescue AutherCutover::Rejected => error
      error.message
    end
    puts JSON.generate(said)
  end
  Process.wait(child)
end
