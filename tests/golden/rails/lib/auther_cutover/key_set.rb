# frozen_string_literal: true

require "net/http"

module AutherCutover
  # Auther's public keys by key id. ruby-jwt's own loader refetches on every unknown key id without a
  # limit and cannot read Ed25519 keys, so this is ours.
  class KeySet
    MAX_AGE_S = 300
    STALE_IF_ERROR_S = 24 * 3600
    RETRY_AFTER_FAILURE_S = 5
    TIMEOUT_S = 3
    MAX_BYTES = 65_536

    Key = Struct.new(:algorithm, :verify_key) do
      # By the algorithm of the key, never the token's; the claims are checked elsewhere. Ed25519 by its own
      # library: ruby-jwt would take the token apart once more, which is half the cost of all.
      def signed?(token)
        return verify_key.verify(token.signature.to_s, token.signed_part) if algorithm == "EdDSA"

        options = { algorithms: [algorithm], verify_expiration: false, verify_not_before: false }
        JWT.decode(token.text, verify_key, true, options).any?
      rescue JWT::DecodeError, RbNaCl::CryptoError, RbNaCl::LengthError
        false
      end
    end
    Unusable = Class.new(StandardError)

    # cooldown_s: between fetches that unknown key ids may cause.
    def initialize(url, cooldown_s: 30)
      @url = URI(url)
      @cooldown_s = cooldown_s
      @lock = Mutex.new
      @keys = {}
      @version = nil
      @fetched_at = @tried_at = @forced_at = -Float::INFINITY
    end

    # The key for a key id. Raises Rejected when a fresh set does not have it, Unavailable when
    # there is no saying.
    def find(kid)
      version
      @keys[kid] || find_in_forced_set(kid)
    end

    # Another one as soon as the set is another one. Raises Unavailable.
    def version
      return @version if now_s - @fetched_at <= MAX_AGE_S

      refresh
      raise Unavailable, "no usable keys" if age_s > STALE_IF_ERROR_S

      @version
    end

    private

    def age_s
      now_s - @fetched_at
    end

    # One thread fetches. The others wait only while there is nothing to go on with.
    def refresh
      return @lock.synchronize { fetch if due? } if @keys.empty?
      return unless due? && @lock.try_lock

      begin
        fetch
      ensure
        @lock.unlock
      end
    end

    def due?
      age_s > MAX_AGE_S && now_s - @tried_at >= RETRY_AFTER_FAILURE_S
    end

    # An unknown key id may be a new key. One look per cooldown, whatever the ids: anybody can
    # send random ones.
    def find_in_forced_set(kid)
      @lock.synchronize do
        return @keys[kid] if @keys.key?(kid)

        wait_s = @cooldown_s - (now_s - @forced_at)
        raise Unavailable.new("unknown key id", retry_after_s: wait_s.ceil) if wait_s.positive?

        @forced_at = now_s
        raise Unavailable, "keys cannot be fetched" unless fetch
      end
      @keys[kid] || raise(Rejected, :unknown_key)
    end

    # A failed fetch never replaces a good set.
    def fetch
      @tried_at = now_s
      body = download
      @keys = import(JSON.parse(body))
      # After the keys: who sees the new version has the new keys.
      @version = Digest::SHA256.digest(body)
      @fetched_at = now_s
      AutherCutover.counters.add("auth_jwks_fetch_total", result: "ok")
      true
    rescue Unusable, JSON::ParserError, JSON::NestingError, SystemCallError, SocketError, IOError,
           Timeout::Error, OpenSSL::SSL::SSLError, Net::ProtocolError => error
      AutherCutover.counters.add("auth_jwks_fetch_total", result: "failed")
      AutherCutover.logger.warn("auther_cutover: keys not fetched: #{error.class}")
      false
    end

    # Net::HTTP follows no redirects, and this must not: the keys come from the configured place.
    def download
      deadline_s = now_s + TIMEOUT_S
      options = { use_ssl: @url.scheme == "https", open_timeout: TIMEOUT_S, read_timeout: TIMEOUT_S, max_retries: 0 }
      body = +""
      Net::HTTP.start(@url.hostname, @url.port, **options) do |http|
        http.request_get(@url.request_uri, "Accept" => "application/json") do |response|
          raise Unusable, "status #{response.code}" unless response.code == "200"

          response.read_body do |chunk|
            body << chunk
            raise Unusable, "too large or too slow" if body.bytesize > MAX_BYTES || now_s > deadline_s
          end
        end
      end
      body
    end

    def import(document)
      list = document.is_a?(Hash) ? document["keys"] : nil
      raise Unusable, "not a key set" unless list.is_a?(Array) && list.all?(Hash)

      kids = list.map { |jwk| jwk["kid"] }
      raise Unusable, "a key id twice" if kids.uniq.size != kids.size

      keys = list.map { |jwk| [jwk["kid"], import_key(jwk)] }.to_h.select { |kid, key| kid.is_a?(String) && key }
      raise Unusable, "no key that can be used" if keys.empty?

      keys
    end

    def import_key(jwk)
      return if jwk.key?("use") && jwk["use"] != "sig"

      key = jwk["kty"] == "OKP" ? import_ed25519(jwk) : import_other(jwk)
      key if key && [nil, key.algorithm].include?(jwk["alg"])
    end

    # JWT::JWK of ruby-jwt 2.5 knows RSA and EC, but not OKP.
    def import_ed25519(jwk)
      return unless jwk["crv"] == "Ed25519" && jwk["x"].is_a?(String)

      Key.new("EdDSA", RbNaCl::VerifyKey.new(JWT::Base64.url_decode(jwk["x"])))
    rescue ArgumentError # of another length, or not base64
      nil
    end

    # A keypair without its private half: for EC, public_key would be a point, which verifies nothing.
    def import_other(jwk)
      algorithm = { "RSA" => "RS256", "EC" => "ES256" }[jwk["kty"]]
      algorithm && Key.new(algorithm, JWT::JWK.import(jwk.slice("kty", "kid", "n", "e", "crv", "x", "y")).keypair)
    rescue JWT::JWKError, OpenSSL::PKey::PKeyError, ArgumentError
      nil
    end

    def now_s
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
