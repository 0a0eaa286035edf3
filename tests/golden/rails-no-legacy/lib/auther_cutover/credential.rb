# frozen_string_literal: true

module AutherCutover
  # What a request brings for Auther, before anything is verified.
  # kind: :none, :header, :cookie, :foreign (a bearer that is not Auther's), :other (Basic and the like).
  # token: a Token in a header; the value of a cookie, which may stand for one.
  Credential = Struct.new(:kind, :token) do
    class << self
      # With a header there, the cookie is not looked at; a token in the query never is.
      def from(request)
        header = request.env["HTTP_AUTHORIZATION"]
        return from_header(header) unless header.nil? || header.empty?

        token = Cookies.read(request.cookie_jar, Cookies::ID_TOKEN)
        return new(:none) unless token

        new(:cookie, Cookies.doubled?(request, Cookies::ID_TOKEN) ? "" : token)
      end

      private

      # Servers join two Authorization headers with a comma, which no bearer contains. Doubled ones
      # are refused: the next reader might take the other half.
      def from_header(header)
        # The pattern only for who writes it otherwise: it takes twice as long.
        unless header.start_with?("Bearer ") || header.match?(/\ABearer /i)
          return new(header.match?(/(\A|,)\s*Bearer\b/i) ? :foreign : :other)
        end

        text = header.byteslice("Bearer ".bytesize, header.bytesize)
        token = Token.new(text)
        return new(:header, token) if AutherCutover.token_verifier.seen?(token)

        token = Token.new(trimmed(text)) if text.start_with?(" ") || text.end_with?(" ")
        candidate?(token) ? new(:header, token) : new(:foreign)
      end

      # Not by / +\z/, which tries anew at every blank of a long row of them.
      def trimmed(text)
        first = text.index(/[^ ]/)
        first ? text[first..text.rindex(/[^ ]/)] : ""
      end

      def candidate?(token)
        return false if token.text.empty? || token.text.count(Token::SEPARATORS).positive?

        token.too_large? || (!token.claims.nil? && AutherCutover.settings.issuers.include?(token.claims["iss"]))
      end
    end
  end
end
