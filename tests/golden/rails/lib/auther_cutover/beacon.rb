# frozen_string_literal: true

module AutherCutover
  # One background thread in each process: tells that this instance lives and at which stage it is,
  # and when users were last seen with a legacy session; and looks who was signed out everywhere. All of it best effort.
  class Beacon
    HEARTBEAT_EVERY_S = 10
    LAST_SEEN_EVERY_S = 60
    PENDING_MAX = 10_000

    HEARTBEAT = <<~SQL
      INSERT INTO migrator_instance (instance, build, baked, stage, epoch, source, legacy_capable, seen_at)
      VALUES (?, ?, ?, ?, ?, ?, true, now())
      ON CONFLICT (instance) DO UPDATE SET
        build = excluded.build, baked = excluded.baked, stage = excluded.stage, epoch = excluded.epoch,
        source = excluded.source, legacy_capable = excluded.legacy_capable, seen_at = excluded.seen_at
    SQL

    LAST_SEEN = <<~SQL
      UPDATE migrator_identity SET last_legacy_at = now() WHERE source = ? AND user_pk IN (?)
    SQL

    def initialize(settings)
      @settings = settings
      # Their transactions would hide from it what they write.
      @off = AutherCutover.in_tests?
      @lock = Mutex.new
      @round = Mutex.new
      @seen = {}
      @pending = []
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

    def saw_legacy(user_id)
      now_s = monotonic_s
      @lock.synchronize do
        next if @pending.size >= PENDING_MAX || now_s - @seen.fetch(user_id, -Float::INFINITY) < LAST_SEEN_EVERY_S

        @seen.shift if @seen.size >= PENDING_MAX
        @seen.delete(user_id)
        @seen[user_id] = now_s
        @pending << user_id.to_s
      end
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
      attempt { write_last_seen }
      attempt { AutherCutover.revocations.refresh }
      attempt { AutherCutover.detection_control.sees_fixture? }
      attempt { beat_if_due }
    end

    def attempt
      yield
    rescue StandardError => error # the thread must go on, whatever the database says
      AutherCutover.logger.warn("auther_cutover: beacon: #{error.class}")
    end

    # At once when the stage has changed: whoever changed it waits for this.
    def beat_if_due
      stage = AutherCutover.stage
      told = [stage.stage, stage.epoch, stage.source]
      return if told == @told && monotonic_s < @next_beat_s

      SideConnection.write(HEARTBEAT, @settings.instance, @settings.build, @settings.baked_stage, *told)
      @told = told
      @next_beat_s = monotonic_s + HEARTBEAT_EVERY_S
    end

    def write_last_seen
      keys = @lock.synchronize { @pending.slice!(0, 1000) }
      SideConnection.write(LAST_SEEN, @settings.source, keys) if keys.any?
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
