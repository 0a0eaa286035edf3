# frozen_string_literal: true

module AutherCutover
  # What a stage document says. source: live, cached or baked; text: the whole document, nil when baked.
  StageDocument = Struct.new(
    :stage, :percent, :salt, :epoch, :stop_accepting, :legacy_accept_until, :cohorts, :source, :text, keyword_init: true
  ) do
    def legacy?
      stage == "legacy"
    end

    def dual?
      stage == "dual"
    end

    def drain?
      stage == "drain"
    end

    # May a session still be given to somebody who signed in with Devise?
    def issues_legacy?
      %w[legacy dual].include?(stage)
    end

    def accepts_legacy?
      stage != "auther" && (legacy_accept_until.nil? || Time.now < legacy_accept_until)
    end

    def refuses_auther?
      stop_accepting && legacy?
    end
  end

  # The stage that holds now: from the signed document, its last good copy, or what was baked in.
  class StageReader
    READ_EVERY_S = 2
    MAX_BYTES = 65_536
    STAGES = %w[legacy dual drain auther].freeze
    # So late that guessing could let back in what a rollback or a removal has ended.
    NEVER_GUESSED = %w[drain auther].freeze

    def initialize(settings)
      @settings = settings
      @public_key = RbNaCl::VerifyKey.new(JWT::Base64.url_decode(settings.stage_public_key))
      @lock = Mutex.new
      @read_again_at_s = -Float::INFINITY
      @document = load_document(settings.stage_cache, "cached") || baked
    rescue RbNaCl::LengthError
      raise Misconfigured, "auther_cutover: stage_public_key is not an Ed25519 public key"
    end

    # Raises Unavailable when nobody can say.
    def current
      refresh if monotonic_s >= @read_again_at_s
      @document || raise(Unavailable.new("stage unknown", retry_after_s: READ_EVERY_S))
    end

    private

    # One thread reads; the others go on with what is there.
    def refresh
      return unless @lock.try_lock

      begin
        @read_again_at_s = monotonic_s + READ_EVERY_S
        live = load_document(@settings.stage_file, "live")
        live && follows?(live) ? adopt(live) : keep
      ensure
        @lock.unlock
      end
    end

    # Two texts with one epoch: the first one stays, since nobody can say which was meant.
    def follows?(live)
      return true if @document.nil? || live.epoch > @document.epoch

      live.epoch == @document.epoch && [nil, live.text].include?(@document.text)
    end

    def adopt(live)
      newer = live.text != @document&.text
      @document = live
      store_copy(live.text) if newer
    end

    def keep
      @document = @document.dup.tap { |copy| copy.source = "cached" } if @document&.source == "live"
    end

    # Renamed into place: a reader sees the old copy or the new one, never half of it.
    def store_copy(text)
      FileUtils.mkdir_p(File.dirname(@settings.stage_cache))
      draft = "#{@settings.stage_cache}.#{Process.pid}"
      File.write(draft, text, perm: 0o600)
      File.rename(draft, @settings.stage_cache)
    rescue SystemCallError => error
      AutherCutover.logger.warn("auther_cutover: no copy of the stage document: #{error.class}")
    end

    def load_document(path, source)
      return if path.nil? || !File.file?(path) || File.size(path) > MAX_BYTES

      text = File.read(path)
      signed = JSON.parse(text)
      @public_key.verify(JWT::Base64.url_decode(signed.fetch("signature")), signed.fetch("payload"))
      parse(JSON.parse(signed.fetch("payload")), source: source, text: text)
    rescue SystemCallError, JSON::ParserError, RbNaCl::CryptoError, ArgumentError, KeyError, TypeError, NoMethodError => error
      AutherCutover.logger&.warn("auther_cutover: #{source} stage document refused: #{error.class}")
      nil
    end

    def parse(payload, from)
      raise ArgumentError, "another migration's" unless payload.fetch("namespace") == @settings.namespace
      raise ArgumentError, "unknown version" unless payload.fetch("version") == 1
      raise ArgumentError, "unknown stage" unless STAGES.include?(payload.fetch("stage"))

      deadline = payload["legacy_accept_until"]
      StageDocument.new(
        stage: payload["stage"], percent: Float(payload.fetch("percent")), salt: String(payload.fetch("salt")),
        epoch: Integer(payload.fetch("epoch")), stop_accepting: payload["stop_accepting"] == true,
        legacy_accept_until: deadline && Time.iso8601(deadline), cohorts: Array(payload["cohorts"]), **from
      )
    end

    def baked
      return if NEVER_GUESSED.include?(@settings.baked_stage)

      StageDocument.new(
        stage: @settings.baked_stage, percent: @settings.baked_percent, salt: "", epoch: 0,
        stop_accepting: false, legacy_accept_until: nil, cohorts: [], source: "baked"
      )
    end

    def monotonic_s
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
