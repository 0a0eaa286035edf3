# frozen_string_literal: true

module AutherCutover
  # id_tokens that are too large for a cookie. The cookie holds a random handle then, the table the token,
  # sealed with a key that only the handle gives: whoever reads the table signs nobody in.
  module StoredToken
    # Browsers drop cookies above 4096 bytes, name and attributes included.
    COOKIE_MAX_BYTES = 3_500
    HANDLE = /\As\.[\w-]{43}\z/
    WRITE = "INSERT INTO migrator_token (handle_hash, sealed, expires_at) VALUES (?, ?, ?)"
    READ = "SELECT sealed FROM migrator_token WHERE handle_hash = ? AND expires_at > now()"
    DELETE = "DELETE FROM migrator_token WHERE handle_hash = ?"
    DELETE_EXPIRED = "DELETE FROM migrator_token WHERE expires_at < now()"

    class << self
      # What to put into the cookie for a token.
      def keep(token, expires_at)
        return token if token.bytesize <= COOKIE_MAX_BYTES

        handle = "s.#{SecureRandom.urlsafe_base64(32)}"
        Database.write(DELETE_EXPIRED)
        Database.write(WRITE, hash_of(handle), Sealed.seal(key(handle), token), expires_at.utc.iso8601)
        handle
      end

      # The token that a cookie's value stands for. Raises Rejected: one that is gone counts as expired.
      def read(value)
        return value unless HANDLE.match?(value)

        sealed = Database.value(READ, hash_of(value)) || raise(Rejected, :expired)
        Sealed.unseal(key(value), sealed) || raise(Rejected, :malformed)
      end

      def forget(value)
        Database.write(DELETE, hash_of(value)) if value && HANDLE.match?(value)
      end

      private

      def hash_of(handle)
        Digest::SHA256.hexdigest(handle)
      end

      def key(handle)
        Digest::SHA256.digest("migrator_token:#{handle}")
      end
    end
  end
end
