# frozen_string_literal: true

module AutherCutover
  # One background thread in each process adds its counts to those of the instance.
  class Beacon
    EVERY_S = 1

    def initialize
      @lock = Mutex.new
    end

    # Asked with each request: a thread does not survive the fork of a worker.
    def ensure_running
      return if AutherCutover.in_tests? || (@pid == Process.pid && @thread&.alive?)

      @lock.synchronize do
        next if @pid == Process.pid && @thread&.alive?

        @pid = Process.pid
        @thread = Thread.new { run }
      end
    end

    private

    def run
      loop do
        AutherCutover.counters.flush
        sleep EVERY_S
      end
    end
  end
end
