# frozen_string_literal: true

require "pstore"

module AutherCutover
  # Counts in memory and adds them up in one file, so that all workers of an instance answer with the
  # same totals and a restarted worker loses none. Without a writable file: this process alone.
  class Counters
    REQUESTS = "auth_requests_total"
    REQUEST_LABELS = %i[path outcome stage reason client synthetic].freeze
    ERRORS = "auth_errors_total"
    PATHS = %w[legacy auther both foreign none].freeze
    # One combination of labels: how its line in the log begins, and how often it was counted since the last flush.
    Requests = Struct.new(:labels, :opening, :count)
    DURATION = "auth_decision_duration_seconds"
    DURATION_BUCKET = "#{DURATION}_bucket"
    DURATION_SUM = "#{DURATION}_sum"
    DURATION_BUCKETS_S = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1].freeze
    DURATION_BUCKETS_US = DURATION_BUCKETS_S.map { |bound_s| (bound_s * 1_000_000).to_i }.freeze

    def initialize(file)
      @file = file
      @pending = Hash.new(0)
      @requests = []
      # The same by one value after the other: an array or a string of them all would be made for each request.
      @by_values = {}
      @totals = Hash.new(0)
      @since = Time.now.to_f
      @lock = Mutex.new
      forget_durations
    end

    # The one place that counts requests and logs them, real and synthetic.
    # waited_us: how long one waited for its decision, where that was measured. details: for the log alone.
    def request(path:, outcome:, stage:, client:, reason: nil, synthetic: false, waited_us: nil, details: nil)
      requests = @lock.synchronize do
        observe(waited_us) if waited_us
        found = @by_values.dig(path, outcome, stage, reason, client, synthetic) ||
                first_request(path, outcome, stage, reason, client, synthetic)
        found.count += 1
        found
      end
      line = details ? opening(requests.labels, details) : requests.opening
      # inspect: to_s of a number is Active Support's, which is slower.
      AutherCutover.logger.info(waited_us ? %(#{line},"waited_us":#{waited_us.inspect}}) : "#{line}}")
    end

    def add(name, **labels)
      @lock.synchronize { @pending[[name, labels]] += 1 }
    end

    # Adds what is new to the file. Called every second. Who has counted nothing leaves the file alone: a server
    # that is about to fork would hand the file's lock on to its workers, and no one could take it again.
    def flush
      share if @lock.synchronize { @pending.any? || @requests.any? { |requests| requests.count.positive? } }
    end

    # [totals by [name, labels], unix time since when they count]
    def read
      share
      @lock.synchronize { [@totals.dup, @since] }
    end

    private

    def share
      @lock.synchronize do
        take_requests
        take_durations
        merge(@pending)
        @pending.clear
      end
    rescue SystemCallError, PStore::Error, TypeError, ArgumentError => error
      keep_in_memory
      AutherCutover.logger.warn("auther_cutover: counters not shared: #{error.class}")
    end

    # Labels come from closed lists, so these are few.
    def first_request(*most, synthetic)
      labels = REQUEST_LABELS.zip([*most.map(&:to_s), synthetic ? "1" : "0"]).to_h
      requests = Requests.new(labels, opening(labels, synthetic ? { synthetic: true } : {}), 0)
      @requests << requests
      most.reduce(@by_values) { |found, value| found[value] ||= {} }[synthetic] = requests
    end

    def opening(labels, details)
      JSON.generate({ event: "auth", **labels.except(:synthetic), **details }).chomp("}")
    end

    def take_requests
      @requests.each do |requests|
        @pending[[REQUESTS, requests.labels]] += requests.count if requests.count.positive?
        requests.count = 0
      end
    end

    # Not in @pending at once: to find an array of a float and a name takes longer than to count.
    def observe(waited_us)
      @waited[DURATION_BUCKETS_US.index { |bound_us| waited_us <= bound_us } || -1] += 1
      @waited_us += waited_us
    end

    def take_durations
      [*DURATION_BUCKETS_S, nil].zip(@waited) do |bound_s, count|
        @pending[[DURATION_BUCKET, bound_s]] += count if count.positive?
      end
      @pending[[DURATION_SUM, nil]] += @waited_us / 1e6 if @waited_us.positive?
      forget_durations
    end

    def forget_durations
      @waited = [0] * (DURATION_BUCKETS_S.size + 1)
      @waited_us = 0
    end

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
