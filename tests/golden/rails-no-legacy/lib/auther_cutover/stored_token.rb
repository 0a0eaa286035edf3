# frozen_string_literal: true

module AutherCutover
  # id_tokens that are too large for a cookie. The cookie holds a random handle then, the table the token,
  # sealed with a key that only the handle gives: whoever reads the table signs nobody in.
  class StoredToken < ActiveRecord::Base
    self.table_name = "migrator_token"
    self.primary_key = "handle_hash"

    # Browsers drop cookies above 4096 bytes, name and attributes included.
    COOKIE_MAX_BYTES = 3_500
    HANDLE = /\As\.[\w-]{43}\z/
    IV_BYTES = 12
    TAG_BYTES = 16

    class << self
      # What to put into the cookie for a token.
      def keep(token, expires_at)
        return token if token.bytesize <= COOKIE_MAX_BYTES

        handle = "s.#{SecureRandom.urlsafe_base64(32)}"
        where("expires_at < now()").delete_all
        create!(handle_hash: hash_of(handle), sealed: seal(handle, token), expires_at: expires_at)
        handle
      end

      # The token that a cookie's value stands for. Raises Rejected: one that is gone counts as expired.
      def read(value)
        return value unless HANDLE.match?(value)

        row = where("expires_at > now()").find_by(handle_hash: hash_of(value))
        row ? unseal(value, row.sealed) : raise(Rejected, :expired)
      end

      def forget(value)
        where(handle_hash: hash_of(value)).delete_all if value && HANDLE.match?(value)
      end

      private

      def hash_of(handle)
        Digest::SHA256.hexdigest(handle)
      end

      def key(handle)
        Digest::SHA256.digest("migrator_token:#{handle}")
      end

      def seal(handle, token)
        cipher = OpenSSL::Cipher.new("aes-256-gcm").encrypt
        cipher.key = key(handle)
        iv = cipher.random_iv
        Base64.urlsafe_encode64(iv + cipher.update(token) + cipher.final + cipher.auth_tag, padding: false)
      end

      def unseal(handle, sealed)
        bytes = Base64.urlsafe_decode64(sealed)
        cipher = OpenSSL::Cipher.new("aes-256-gcm").decrypt
        cipher.key = key(handle)
        cipher.iv = bytes.slice!(0, IV_BYTES)
        cipher.auth_tag = bytes.slice!(-TAG_BYTES, TAG_BYTES)
        cipher.update(bytes) + cipher.final
      rescue OpenSSL::Cipher::CipherError, ArgumentError
        raise Rejected, :malformed
      end
    end
  end
end
