# frozen_string_literal: true

module AutherCutover
  # The positive control: a signed request that must show up in the counters as legacy traffic. If it
  # does not, a count of zero proves nothing. It signs nobody in.
  class Control
    HEADER = "HTTP_X_MIGRATOR_CONTROL"
    WINDOW_S = 60

    def initialize(secret)
      @secret = secret
      @seen = {}
      @lock = Mutex.new
    end

    def genuine?(request)
      marker = request.env[HEADER]
      return false if marker.nil? || @secret.nil?

      signed, sent_at, nonce, mac = marker.match(/\A(v1\.(\d{1,12})\.(\h{32}))\.(\h{64})\z/)&.captures
      return false unless signed && (Time.now.to_i - sent_at.to_i).abs <= WINDOW_S

      expected = OpenSSL::HMAC.hexdigest("SHA256", @secret, signed)
      Rack::Utils.secure_compare(expected, mac.downcase) && first_use?(nonce.downcase)
    end

    def answer(request)
      stage = AutherCutover.stage.stage
      client = Client.kind(request, :legacy)
      AutherCutover.counters.request(path: :legacy, outcome: :accepted, stage: stage, client: client, synthetic: true)
      AutherCutover.counters.flush
      [204, { "Cache-Control" => "no-store" }, []]
    end

    private

    def first_use?(nonce)
      now_s = Time.now.to_i
      @lock.synchronize do
        @seen.delete_if { |_, at_s| now_s - at_s > 2 * WINDOW_S }
        @seen.key?(nonce) ? false : @seen[nonce] = now_s
      end
    end
  end
end
