# frozen_string_literal: true

module AutherCutover
  # The claims of tokens whose signature was checked already, by the token's hash. Whose they are and
  # whether that user may still come in is asked with each request all the same.
  class VerifiedTokens
    MAX = 10_000

    # Its own method digest makes it ready twice, before and after. Before is enough, and what a timeout breaks
    # off leaves nothing behind for the next token. Not by reset, which looks the algorithm up by its name.
    class Sha256 < OpenSSL::Digest::SHA256
      READY = new

      def of(text)
        initialize_copy(READY)
        update(text)
        finish
      end
    end
    private_constant :Sha256

    def initialize
      @claims = {}
      @lock = Mutex.new
      # One for all, for whoever holds the lock: to make one takes as long as to hash a token.
      @sha256 = Sha256.new
    end

    # The token's claims and the version of the keys that it was verified with; nil for one that never was.
    # A request asks twice: is the token ours, and is it good?
    def entry(token)
      token.entry ||= (@lock.synchronize { @claims[digest(token)] } unless token.too_large?)
    end

    # nil unless the token was verified with the keys that hold now, and has not ended. The block gives
    # their version.
    def claims(token)
      found, version = entry(token)
      found if found && version == yield && found["exp"] > Process.clock_gettime(Process::CLOCK_REALTIME)
    end

    # A changed key set drops all: what a removed key signed counts no more.
    def keep(token, version, claims)
      @lock.synchronize do
        @claims.clear if @version != version
        @version = version
        @claims.shift if @claims.size >= MAX
        @claims[digest(token)] = [claims.freeze, version]
      end
    end

    private

    def digest(token)
      token.digest ||= @sha256.of(token.text)
    end
  end
end
