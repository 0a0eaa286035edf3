# frozen_string_literal: true

module AutherCutover
  # A credential that is not accepted, and why.
  class Rejected < StandardError
    # In a cookie these count as no credential at all: it was good once, or is meant for others.
    STALE = %i[expired not_yet_valid issuer audience revoked stopped].freeze

    # claims: of a token that is good but for its end.
    attr_reader :reason, :claims

    def initialize(reason, claims: nil)
      @reason = reason
      @claims = claims
      super(reason.to_s)
    end

    def stale?
      STALE.include?(reason)
    end
  end

  # Nobody can say at the moment whether a credential is good. Never to be answered with 401.
  class Unavailable < StandardError
    attr_reader :retry_after_s

    def initialize(message, retry_after_s: 5)
      @retry_after_s = retry_after_s
      super(message)
    end
  end
end
