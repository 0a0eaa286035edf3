# frozen_string_literal: true

require "pstore"

module AutherCutover
  # Counts in memory and adds them up in one file, so that all workers of an instance answer with the
  # same totals and a restarted worker loses none. Without a writable file: this process alone.
  class Counters
    def initialize(file)
      @file = file
      @pending = Hash.new(0)
      @totals = Hash.new(0)
      @since = Time.now.to_f
      @lock = Mutex.new
    end

    # The one place that counts requests and logs them, real and synthetic.
    def request(path:, outcome:, stage:, reason: nil, synthetic: false, **details)
      labels = { path: path, outcome: outcome, stage: stage, reason: reason.to_s }
      add("auth_requests_total", **labels, synthetic: synthetic ? "1" : "0")
      details = { synthetic: true } if synthetic
      Rails.logger.info(JSON.generate({ event: "auth" }.merge(labels, details)))
    end

    def add(name, **labels)
      @lock.synchronize { @pending[[name, labels]] += 1 }
    end

    # Adds what is new to the file. Called every second, and before reading.
    def flush
      @lock.synchronize do
        merge(@pending)
        @pending.clear
      end
    rescue SystemCallError, PStore::Error, TypeError, ArgumentError => error
      keep_in_memory
      Rails.logger.warn("auther_cutover: counters not shared: #{error.class}")
    end

    # [totals by [name, labels], unix time since when they count]
    def read
      flush
      @lock.synchronize { [@totals.dup, @since] }
    end

    private

    def merge(pending)
      store = open_store
      store.transaction do
        totals = store.fetch(:totals, {})
        pending.each { |key, count| totals[key] = totals.fetch(key, 0) + count }
        @since = store[:since] ||= @since
        @totals = store[:totals] = totals
      end
    end

    def open_store
      FileUtils.mkdir_p(File.dirname(@file))
      PStore.new(@file)
    end

    def keep_in_memory
      @lock.synchronize do
        @pending.each { |key, count| @totals[key] = @totals.fetch(key, 0) + count }
        @pending.clear
      end
    end
  end
end
