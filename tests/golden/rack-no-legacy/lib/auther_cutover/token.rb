# frozen_string_literal: true

module AutherCutover
  # A token taken apart, each part once. Nothing of it is verified.
  class Token
    MAX_BYTES = 8_192
    # No token has one of these. To count them takes a tenth of the time of a pattern.
    SEPARATORS = ", \t\r\n\f\v"

    attr_reader :text
    # Its hash, and what VerifiedTokens keeps by it, once that was found.
    attr_accessor :digest, :entry

    def initialize(text)
      @text = text
    end

    def too_large?
      text.bytesize > MAX_BYTES
    end

    # The two JSON objects and the signature; each is nil unless it is well-formed.
    def header
      parts[0]
    end

    def claims
      parts[1]
    end

    def signature
      parts[2]
    end

    # What the signature is about.
    def signed_part
      text[0...text.rindex(".")]
    end

    private

    def parts
      @parts ||= take_apart
    end

    def take_apart
      segments = too_large? ? [] : text.split(".", -1)
      return [] unless segments.size == 3

      [object(decode(segments[0])), object(decode(segments[1])), decode(segments[2])]
    end

    # Only the one canonical spelling: padding, blanks or spare bits would give one token several.
    # "m0" is strict about all of that, but for the alphabet: what only base64 has becomes what it has not.
    def decode(segment)
      segment.tr("-_+/=", "+/***").ljust((segment.size + 3) & ~3, "=").unpack1("m0")
    rescue ArgumentError
      nil
    end

    def object(bytes)
      value = bytes && JSON.parse(bytes.force_encoding(Encoding::UTF_8), max_nesting: 20)
      value if value.is_a?(Hash)
    rescue JSON::ParserError, EncodingError
      nil
    end
  end
end
