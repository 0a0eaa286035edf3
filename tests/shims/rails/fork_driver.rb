# frozen_string_literal: true

# Forks while the beacon is in the middle of a round, and lets the child take every lock again. Argument: the initializer.
require "rails"
require "active_support/all"

Rails.logger = Logger.new(File::NULL)
Rails.define_singleton_method(:root) { Pathname.new(Dir.pwd) }
require "auther_cutover"
eval(ARGV.fetch(0)) # rubocop:disable Security/Eval (the initializer under test)

Process.singleton_class.prepend(AutherCutover::ForkBetweenRounds)
AutherCutover::SideConnection = Module.new { def self.open; end }
in_round = Queue.new
AutherCutover.beacon.define_singleton_method(:round) do
  in_round << true
  sleep 0.5
  $stdout.syswrite("round ended\n")
  in_round << true
end
AutherCutover.beacon.ensure_running
in_round.pop
child = fork do
  AutherCutover.beacon.between_rounds { $stdout.syswrite("worker started\n") }
  exit! 0
end
Process.wait(child)
in_round.pop
