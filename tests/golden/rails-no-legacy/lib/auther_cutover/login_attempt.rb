# frozen_string_literal: true

module AutherCutover
  # A login that does not come to its end; the reason is shown and counted.
  class LoginFailed < StandardError
    attr_reader :reason, :status

    def initialize(reason, status = 400)
      @reason = reason
      @status = status
      super(reason.to_s)
    end
  end

  # Where a login may return to: a path on this site, nothing that a browser reads as another host.
  module ReturnPath
    def self.clean(path)
      safe = path.is_a?(String) && path.bytesize <= 1024 && path.match?(%r{\A/(?![/\\])[[:graph:]&&[^\\]]*\z})
      safe && !path.start_with?("/auth/") ? path : AutherCutover.settings.after_login
    end
  end

  # One attempt to sign in at Auther: authorization code with PKCE, bound to this browser by a cookie
  # of its own, so that two tabs do not disturb each other.
  class LoginAttempt
    LIFETIME_S = 600
    TIMEOUT_S = 5
    MAX_ANSWER_BYTES = 65_536

    attr_reader :state, :nonce, :verifier, :return_to, :purpose, :sub

    # purpose: login, renew or exchange; the latter two must bring the same user, whom `sub` names.
    def self.start(jar, return_to, purpose: "login", sub: nil)
      values = { "nonce" => SecureRandom.urlsafe_base64(32), "verifier" => SecureRandom.urlsafe_base64(48),
                 "return_to" => ReturnPath.clean(return_to), "purpose" => purpose, "sub" => sub }
      attempt = new(SecureRandom.urlsafe_base64(32), values)
      attempt.remember(jar)
      attempt
    end

    # The attempt that `state` belongs to in this browser, once; nil for anybody else's.
    def self.take(jar, state)
      return unless state.is_a?(String) && state.match?(/\A[\w-]{43}\z/)

      name = cookie_name(state)
      values = jar.encrypted[name]
      jar.delete(name, Cookies.attributes)
      return unless values.is_a?(Hash) && Rack::Utils.secure_compare(values["state"].to_s, state)

      new(state, values)
    end

    def self.cookie_name(state)
      AutherCutover.settings.cookie_name("auther_login_#{state[0, 12]}")
    end

    def initialize(state, values)
      @state = state
      @values = values
      @nonce, @verifier, @return_to = values.values_at("nonce", "verifier", "return_to")
      @purpose, @sub = values.values_at("purpose", "sub")
    end

    def remember(jar)
      jar.encrypted[self.class.cookie_name(state)] =
        Cookies.attributes.merge(value: @values.merge("state" => state), expires: Time.now + LIFETIME_S)
    end

    def authorize_url
      "#{AutherCutover.settings.authorize_url}?#{URI.encode_www_form(authorize_query)}"
    end

    def authorize_query
      settings = AutherCutover.settings
      {
        response_type: "code", client_id: settings.client_id, redirect_uri: settings.redirect_uri,
        scope: "openid profile email", state: state, nonce: nonce, code_challenge_method: "S256",
        code_challenge: code_challenge
      }
    end

    def code_challenge
      Base64.urlsafe_encode64(Digest::SHA256.digest(verifier), padding: false)
    end

    # The id_token for a code, and its verified claims.
    def redeem(code)
      token = exchange(code)
      claims = AutherCutover.token_verifier.verify(token)
      raise LoginFailed, :nonce unless Rack::Utils.secure_compare(claims["nonce"].to_s, nonce)
      raise LoginFailed, :audience unless Array(claims["aud"]).include?(AutherCutover.settings.client_id)
      raise LoginFailed.new(:other_user, 403) if sub && claims["sub"] != sub

      [token, claims]
    end

    private

    def exchange(code)
      answer = JSON.parse(post(code))
      token = answer.is_a?(Hash) ? answer["id_token"] : nil
      token.is_a?(String) ? token : raise(LoginFailed.new(:no_id_token, 502))
    rescue JSON::ParserError, SystemCallError, SocketError, IOError, Timeout::Error, OpenSSL::SSL::SSLError, Net::ProtocolError
      raise LoginFailed.new(:auther_unreachable, 503)
    end

    def post(code)
      url = URI(AutherCutover.settings.token_url)
      request = Net::HTTP::Post.new(url, "Accept" => "application/json")
      request.set_form_data(form(code))
      options = { use_ssl: url.scheme == "https", open_timeout: TIMEOUT_S, read_timeout: TIMEOUT_S, max_retries: 0 }
      response = Net::HTTP.start(url.hostname, url.port, **options) { |http| http.request(request) }
      raise LoginFailed, :code_refused if response.is_a?(Net::HTTPClientError)
      raise LoginFailed.new(:auther_unreachable, 503) unless response.is_a?(Net::HTTPOK)
      raise LoginFailed.new(:no_id_token, 502) if response.body.bytesize > MAX_ANSWER_BYTES

      response.body
    end

    def form(code)
      settings = AutherCutover.settings
      {
        grant_type: "authorization_code", code: code.to_s, redirect_uri: settings.redirect_uri,
        client_id: settings.client_id, client_secret: settings.client_secret, code_verifier: verifier
      }.compact
    end
  end
end
