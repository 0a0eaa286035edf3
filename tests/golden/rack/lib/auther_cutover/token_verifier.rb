# frozen_string_literal: true

module AutherCutover
  # Checks a token of Auther and gives its claims. Raises Rejected or Unavailable.
  class TokenVerifier
    LEEWAY_S = 30
    # Auther's iat is in milliseconds.
    MILLISECONDS_ABOVE = 1e11
    # Headers that bring or fetch keys, or change what is signed.
    FORBIDDEN_HEADERS = %w[jku jwk x5u x5c x5t crit b64].freeze
    ED25519_SIGNATURE_BYTES = 64

    def initialize(settings, key_set)
      @settings = settings
      @key_set = key_set
      @verified = VerifiedTokens.new
    end

    # token: a Token, or its text.
    def verify(token)
      token = Token.new(token) if token.is_a?(String)
      known = @verified.claims(token) { @key_set.version }
      return known if known
      raise Rejected, :too_large if token.too_large?

      header = header_of(token)
      version = @key_set.version
      key = @key_set.find(header["kid"])
      raise Rejected, :algorithm unless key.algorithm == header["alg"]
      raise Rejected, :signature unless key.signed?(token)

      claims = check_claims(token.claims)
      @verified.keep(token, version, claims)
      claims
    end

    # Was it good once? For routing only.
    def seen?(token)
      !@verified.entry(token).nil?
    end

    # The claims of a token that may have ended, as of one that is to be renewed or logged out; else nil.
    def claims_of_ended(token)
      verify(token)
    rescue Rejected => error
      error.claims
    end

    def self.seconds(value)
      value > MILLISECONDS_ABOVE ? value / 1000.0 : value
    end

    private

    def header_of(token)
      header = token.header
      signature_bytes = token.signature.to_s.bytesize
      raise Rejected, :malformed if header.nil? || token.claims.nil? || signature_bytes < ED25519_SIGNATURE_BYTES
      # ruby-jwt compares names without regard to case.
      raise Rejected, :algorithm unless @settings.algorithms.include?(header["alg"])
      raise Rejected, :malformed if FORBIDDEN_HEADERS.any? { |name| header.key?(name) } || !header["kid"].is_a?(String)

      header
    end

    # ruby-jwt would refuse an iat in milliseconds, and asks for no exp.
    def check_claims(claims)
      raise Rejected, :missing_claim unless end?(claims["exp"]) && subject?(claims["sub"])
      raise Rejected, :issuer unless @settings.issuers.include?(claims["iss"])
      raise Rejected, :audience if (Array(claims["aud"]) & @settings.audiences).empty?

      check_times(claims, Time.now.to_f)
      claims
    end

    def check_times(claims, now_s)
      %w[nbf iat].each do |name|
        next unless claims.key?(name)
        raise Rejected, :missing_claim unless claims[name].is_a?(Numeric)
        raise Rejected, :not_yet_valid if self.class.seconds(claims[name]) > now_s + LEEWAY_S
      end
      raise Rejected.new(:expired, claims: claims) if claims["exp"] <= now_s - LEEWAY_S
    end

    # In seconds: one in milliseconds would never come.
    def end?(exp)
      exp.is_a?(Numeric) && exp <= MILLISECONDS_ABOVE
    end

    # A NUL byte would make PostgreSQL raise where the user is looked up.
    def subject?(sub)
      sub.is_a?(String) && sub.match?(/\A[[:graph:]]{1,255}\z/)
    end
  end
end
