# frozen_string_literal: true

module AutherCutover
  # The sign-in through Auther in one browser: its cookie here, and Auther's own session behind it.
  module AutherSession
    TIMEOUT_S = 2
    # As long as Auther's own session lives, after which a renewal would ask for the password.
    RENEWABLE_FOR_S = 7 * 86_400

    module_function

    # The cookie outlives the token: one that the browser has dropped could not be renewed.
    def begin(jar, token, token_ends_at)
      expires_at = token_ends_at + RENEWABLE_FOR_S
      forget(jar)
      value = StoredToken.keep(token, expires_at)
      Cookies.write(jar, Cookies::ID_TOKEN, value, expires: expires_at)
    end

    # Also at Auther, or the next click on "Sign in" would need no password.
    def log_out(jar)
      value = Cookies.read(jar, Cookies::ID_TOKEN)
      claims = value && claims_of(value)
      forget(jar)
      # One that was found in a backup or a log must not sign its person out for ever.
      renewable = claims && Time.now.to_f < claims["exp"] + RENEWABLE_FOR_S
      AutherCutover.counters.add("auth_logouts_total", auther: renewable ? end_at_auther(claims["sub"]) : "off")
    end

    # In this application only.
    def forget(jar)
      value = Cookies.read(jar, Cookies::ID_TOKEN)
      return unless value

      StoredToken.forget(value)
      Cookies.delete(jar, Cookies::ID_TOKEN)
    end

    # Of a good token, which may have ended.
    def claims_of(value)
      AutherCutover.token_verifier.claims_of_ended(StoredToken.read(value))
    rescue Rejected, Unavailable
      nil
    end

    # Best effort: who signs out is signed out here, whatever Auther says.
    def end_at_auther(sub)
      secret = AutherCutover.settings.logout_secret
      return "off" unless Plugin.ready?(secret)

      Plugin.post("logout", secret, { id: sub }, timeout_s: TIMEOUT_S)
      "ended"
    rescue Plugin::Refused, Plugin::Unreachable => error
      AutherCutover.logger.warn("auther_cutover: no logout at Auther: #{error.message}")
      "failed"
    end
  end
end
