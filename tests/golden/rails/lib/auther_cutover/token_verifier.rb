# frozen_string_literal: true

module AutherCutover
  # Checks a token of Auther and gives its claims. Raises Rejected or Unavailable.
  class TokenVerifier
    MAX_BYTES = 8_192
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

    def verify(token)
      raise Rejected, :too_large if token.bytesize > MAX_BYTES

      known = @verified.claims(token) { @key_set.version }
      return known if known

      header = header_of(token)
      version = @key_set.version
      key = @key_set.find(header["kid"])
      raise Rejected, :algorithm unless key.algorithm == header["alg"]

      claims = check_claims(signed_claims(token, key))
      @verified.keep(token, version, claims)
      claims
    end

    # Was it good once? For routing only.
    def seen?(token)
      @verified.include?(token)
    end

    # The claims of a token that may have ended, as of one that is to be renewed or logged out; else nil.
    def claims_of_ended(token)
      verify(token)
    rescue Rejected => error
      error.claims
    end

    # The claims without any check; nil unless it is a well-formed token. For routing only.
    def self.peek(token)
      return if token.bytesize > MAX_BYTES

      segments = token.split(".", -1)
      segments.size == 3 ? parse(segments[1]) : nil
    end

    # A segment's JSON object. Padding, blanks or spare bits would give one token several spellings.
    def self.parse(segment)
      decoded = JWT::Base64.url_decode(segment)
      return unless JWT::Base64.url_encode(decoded) == segment

      value = JSON.parse(decoded.force_encoding(Encoding::UTF_8), max_nesting: 20)
      value if value.is_a?(Hash)
    rescue ArgumentError, JSON::ParserError, EncodingError
      nil
    end

    def self.seconds(value)
      value > MILLISECONDS_ABOVE ? value / 1000.0 : value
    end

    private

    def header_of(token)
      segments = token.split(".", -1)
      header = segments.size == 3 ? self.class.parse(segments[0]) : nil
      raise Rejected, :malformed if header.nil? || self.class.parse(segments[1]).nil? || !signature?(segments[2])
      # ruby-jwt compares names without regard to case.
      raise Rejected, :algorithm unless @settings.algorithms.include?(header["alg"])
      raise Rejected, :malformed if FORBIDDEN_HEADERS.any? { |name| header.key?(name) } || !header["kid"].is_a?(String)

      header
    end

    def signature?(segment)
      decoded = JWT::Base64.url_decode(segment)
      JWT::Base64.url_encode(decoded) == segment && decoded.bytesize >= ED25519_SIGNATURE_BYTES
    rescue ArgumentError
      false
    end

    # The claims are checked below: ruby-jwt refuses an iat in milliseconds, and asks for no exp.
    def signed_claims(token, key)
      options = { algorithms: [key.algorithm], verify_expiration: false, verify_not_before: false }
      claims, = JWT.decode(token, key.verify_key, true, options)
      claims
    rescue JWT::DecodeError, RbNaCl::LengthError
      raise Rejected, :signature
    end

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
