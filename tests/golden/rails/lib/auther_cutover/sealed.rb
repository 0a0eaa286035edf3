# frozen_string_literal: true

module AutherCutover
  # Text that only who has the key can read or make: AES-256-GCM, as base64url(iv + ciphertext + tag).
  module Sealed
    IV_BYTES = 12
    TAG_BYTES = 16

    module_function

    def seal(key, text)
      cipher = OpenSSL::Cipher.new("aes-256-gcm").encrypt
      cipher.key = key
      iv = cipher.random_iv
      Base64.urlsafe_encode64(iv + cipher.update(text) + cipher.final + cipher.auth_tag, padding: false)
    end

    # nil for what was not sealed with this key.
    def unseal(key, sealed)
      bytes = Base64.urlsafe_decode64(sealed)
      return if bytes.bytesize <= IV_BYTES + TAG_BYTES

      cipher = OpenSSL::Cipher.new("aes-256-gcm").decrypt
      cipher.key = key
      cipher.iv = bytes.slice!(0, IV_BYTES)
      cipher.auth_tag = bytes.slice!(-TAG_BYTES, TAG_BYTES)
      cipher.update(bytes) + cipher.final
    rescue OpenSSL::Cipher::CipherError, ArgumentError
      nil
    end
  end
end
