# frozen_string_literal: true

# Evaluates generated initializers (a JSON list on standard input) without booting the application.
# Answers with a JSON list of what each complained about, "" for none.
require "json"
require "rails"
require "active_support/all"

Rails.logger = Logger.new(File::NULL)
Rails.define_singleton_method(:root) { Pathname.new(Dir.pwd) }
require "auther_cutover"

said = JSON.parse($stdin.read).map do |text|
  eval(text) # rubocop:disable Security/Eval (the text is the initializer under test)
  ""
rescue AutherCutover::Misconfigured => error
  error.message
end
puts JSON.generate(said)
