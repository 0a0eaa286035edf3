# frozen_string_literal: true

module AutherCutover
  # What a request brings for Auther, before anything is verified.
  # kind: :none, :header, :cookie, :foreign (a bearer that is not Auther's), :other (Basic and the like).
  # token: a Token in a header; the value of a cookie, which may stand for one.
  Credential = Struct.new(:kind, :token) do
    class << self
      # With a header there, the cookie is not looked at; a token in the query never is.
      def from(request)
        header = request.get_header("HTTP_AUTHORIZATION")
        return from_header(header) unless header.to_s.empty?

        token = Cookies.read(request.cookie_jar, Cookies::ID_TOKEN)
        return new(:none) unless token

        new(:cookie, Cookies.doubled?(request, Cookies::ID_TOKEN) ? "" : token)
      end

      private

      # Servers join two Authorization headers with a comma, which no bearer contains. Doubled ones
      # are refused: the next reader might take the other half.
      def from_header(header)
        return new(:other) unless header.match?(/(\A|,)\s*Bearer\b/i)

        scheme = header[/\ABearer +/i]
        text = scheme && header.delete_prefix(scheme)
        text = text.sub(/ +\z/, "") if text&.end_with?(" ")
        return new(:foreign) if text.to_s.empty? || text.count(Token::SEPARATORS).positive?

        token = Token.new(text)
        token.too_large? || candidate?(token) ? new(:header, token) : new(:foreign)
      end

      def candidate?(token)
        return true if AutherCutover.token_verifier.seen?(token)

        !token.claims.nil? && AutherCutover.settings.issuers.include?(token.claims["iss"])
      end
    end
  end
end
