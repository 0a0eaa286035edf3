# frozen_string_literal: true

# The Rack target's in-process benchmark; `bench_shim` runs it in a folder with freshly generated files.
# The lookup of the user is the same constant on both sides.
require "logger"

$LOAD_PATH.unshift(File.join(Dir.pwd, "lib"))
require File.join(Dir.pwd, "config/auther_cutover")
require_relative "ruby_parts"

User = Struct.new(:id)
ALICE = User.new("7")
Found = Struct.new(:user)

# What the application's team says of its sessions.
module Sessions
  module_function

  def held(request)
    request.session["user_id"]
  end

  alias user_id held
  module_function :user_id
end

module AutherCutover
  # Whoever is asked, it is alice, and the database is not.
  class Identity
    FOUND = Found.new(Person.new(ALICE.id, ALICE))

    def self.resolve(_claims, **)
      FOUND
    end
  end

  module SideConnection
    def self.values(*)
      []
    end
  end
end

AutherCutover.logger = Logger.new(File::NULL, formatter: ->(_level, _time, _name, text) { "#{text}\n" })
# The background thread would look for the database.
AutherCutover.beacon.define_singleton_method(:ensure_running) { nil }
AutherCutover.integrate(
  find_user: ->(_id, moved:) { ALICE }, sessions: Sessions, session_store: [nil, { key: "_club_session" }],
  doors: {}
)

APPLICATION = ->(_env) { [200, {}, ["ok"]] }
# As a page does that looks who is there.
READER = lambda do |env|
  Sessions.user_id(Rack::Request.new(env))
  [200, {}, ["ok"]]
end

quiet, reading = [APPLICATION, READER].map { |app| [app, AutherCutover::Middleware.new(app)] }
report(quiet: quiet, reading: reading, held: { "user_id" => ALICE.id })
