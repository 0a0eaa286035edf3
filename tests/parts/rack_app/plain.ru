# frozen_string_literal: true

# The club after the migration, or a team that never had a legacy side: Auther alone signs people in.
$LOAD_PATH.unshift(File.expand_path("lib", __dir__))
$stdout.sync = true
require "json"
require_relative "config/auther_cutover"

Row = Struct.new(:id)
if AutherCutover.respond_to?(:integrate)
  AutherCutover.integrate(database: ENV.fetch("DATABASE_URL"), find_user: ->(id) { Row.new(id) })
end

use AutherCutover::Middleware
run(lambda do |env|
  user = AutherCutover.user(env)
  said = { user: user.respond_to?(:id) ? user.id : user, credential: AutherCutover.credential(env) }
  [200, { "Content-Type" => "application/json" }, [JSON.generate(said)]]
end)
