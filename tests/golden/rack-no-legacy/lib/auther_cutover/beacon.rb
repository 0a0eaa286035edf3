# frozen_string_literal: true

module AutherCutover
  # One background thread in each process adds its counts to those of the instance, and tells that the instance lives
  # and knows Auther alone. All of it best effort.
  class Beacon
    HEARTBEAT_EVERY_S = 10

    HEARTBEAT = <<~SQL
      INSERT INTO migrator_instance (instance, build, baked, stage, epoch, source, legacy_capable, seen_at)
      VALUES (?, ?, 'auther', 'auther', 0, 'baked', false, now())
      ON CONFLICT (instance) DO UPDATE SET
        build = excluded.build, baked = excluded.baked, stage = excluded.stage, epoch = excluded.epoch,
        source = excluded.source, legacy_capable = excluded.legacy_capable, seen_at = excluded.seen_at
    SQL

    def initialize(settings)
      @settings = settings
      # Their transactions would hide from it what they write.
      @off = AutherCutover.in_tests?
      @lock = Mutex.new
      @round = Mutex.new
    end

    # Asked with each request: a thread does not survive the fork of a worker.
    def ensure_running
      return if @off || @thread&.alive?

      @lock.synchronize do
        @thread = Thread.new { run } unless @thread&.alive?
      end
    end

    # A server's worker that is forked in the middle of a round inherits locks that nobody frees, down to those of
    # libpq, and would hang at its first request.
    def between_rounds(&block)
      @round.synchronize(&block)
    end

    private

    def run
      between_rounds { SideConnection.open }
      loop do
        between_rounds { round }
        sleep 1
      end
    end

    def round
      attempt { AutherCutover.counters.flush }
      attempt { beat_if_due }
    end

    def attempt
      yield
    rescue StandardError => error # the thread must go on, whatever the database says
      AutherCutover.logger.warn("auther_cutover: beacon: #{error.class}")
    end

    # No stage moves it any more. Where nobody looks at the table, it may be gone.
    def beat_if_due
      return if @next_beat_s && monotonic_s < @next_beat_s

      @next_beat_s = monotonic_s + HEARTBEAT_EVERY_S
      SideConnection.write(HEARTBEAT, @settings.instance, @settings.build)
    end

    def monotonic_s
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end

  # In front of every fork (Ruby 3.1 and later call _fork for all of them).
  module ForkBetweenRounds
    def _fork
      AutherCutover.beacon.between_rounds { super }
    end
  end
end
