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
    def claims(digest)
      found, version = @lock.synchronize { @claims[digest] }
      found if found && version == yield && found["exp"] > Time.now.to_f
    end

    def include?(digest)
      @lock.synchronize { @claims.key?(digest) }
    end

    # A changed key set drops all: what a removed key signed counts no more.
    def keep(digest, version, claims)
      @lock.synchronize do
        @claims.clear if @version != version
        @version = version
        @claims.shift if @claims.size >= MAX
        @claims[digest] = [claims.freeze, version]
      end
    end
  end
end
