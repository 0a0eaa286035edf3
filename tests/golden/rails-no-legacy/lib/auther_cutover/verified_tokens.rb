# frozen_string_literal: true

module AutherCutover
  # The claims of tokens whose signature was checked already, by the token's hash. Whose they are and
  # whether that user may still come in is asked with each request all the same.
  class VerifiedTokens
    MAX = 10_000

    def initialize
      @claims = {}
      @lock = Mutex.new
    end

    # nil unless the token was verified with the keys that hold now, and has not ended. The block gives
    # their version.
    def claims(token)
      key = Digest::SHA256.digest(token)
      found, version = @lock.synchronize { @claims[key] }
      found if found && version == yield && found["exp"] > Time.now.to_f
    end

    def include?(token)
      key = Digest::SHA256.digest(token)
      @lock.synchronize { @claims.key?(key) }
    end

    # A changed key set drops all: what a removed key signed counts no more.
    def keep(token, version, claims)
      key = Digest::SHA256.digest(token)
      @lock.synchronize do
        @claims.clear if @version != version
        @version = version
        @claims.shift if @claims.size >= MAX
        @claims[key] = [claims.freeze, version]
      end
    end
  end
end
