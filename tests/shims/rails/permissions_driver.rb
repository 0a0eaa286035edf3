# frozen_string_literal: true

# Asks the generated helper without booting the application: a JSON list of [claims, permission, type, id,
# API key or nothing] in, a list of [what the token says, the answer] out.
require "json"
require "rails"
require "active_support/all"

Rails.logger = Logger.new(File::NULL)
Rails.define_singleton_method(:root) { Pathname.new(Dir.pwd) }
require "auther_cutover"

eval(File.read("config/initializers/auther_cutover.rb").split("AutherCutover.install").first) # rubocop:disable Security/Eval

answers = JSON.parse($stdin.read).map do |claims, permission, type, id, api_key|
  permissions = AutherCutover::Permissions.new(claims, api_key: api_key)
  asked = [permission, type, id]
  [permissions.in_token(*asked), permissions.allowed?(*asked)]
end
puts JSON.generate(answers)
