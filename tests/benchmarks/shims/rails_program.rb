# frozen_string_literal: true

# The Rails target's in-process benchmark; `bench_shim` runs it in a folder with freshly generated files.
# The lookup of the user is the same constant on both sides; Warden is the real one.
ENV["RAILS_ENV"] = "test"
require "logger"
require "rails"
require "action_controller/railtie"
require "action_dispatch/middleware/cookies"
require "active_support/all"
require "warden"

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
Found = Struct.new(:user)

module AutherCutover
  # In place of the generated one, which asks the database.
  class Identity
    FOUND = Found.new(ALICE)

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
require_relative "ruby_parts"

APPLICATION = ->(_env) { [200, {}, ["ok"]] }
# As a page does that asks for current_user.
READER = lambda do |env|
  env["warden"].user(:user)
  [200, {}, ["ok"]]
end

quiet, reading = [APPLICATION, READER].map do |app|
  [app, AutherCutover::Middleware.new(app)].map { |inner| Warden::Manager.new(inner) }
end
report(quiet: quiet, reading: reading, held: { "warden.user.user.key" => [[7], "salt"] })
