# frozen_string_literal: true

module AutherCutover
  # The browser's way to Auther and back, step by step. Whoever includes it has `request`, `params` and `cookies`,
  # and says how a browser is sent on (`leave_for`), how a failure is shown (`show_failure`) and how a session
  # ends (`reset_session`).
  module LoginFlow
    def start
      sub = Renewal.begin(cookies) if params[:renew]
      leave_for(LoginAttempt.start(cookies, params[:return_to], purpose: sub ? "renew" : "login", sub: sub).authorize_url)
    end

    def callback
      take_attempt
      raise LoginFailed, :refused_by_auther if params[:error] || params[:code].to_s.empty?

      token, claims = @attempt.redeem(params[:code])
      complete(Identity.resolve(claims), token, claims)
      return_to_page
    end

    # Ends the sign-in in this browser, on every side.
    def logout
      AutherSession.log_out(cookies)
      reset_session
      leave_for(AutherCutover.settings.after_login)
    end

    private

    def take_attempt(purpose = nil)
      @attempt = LoginAttempt.take(cookies, params[:state])
      raise LoginFailed, :state if @attempt.nil? || (purpose && @attempt.purpose != purpose)
    end

    def return_to_page
      leave_for(ReturnPath.clean(@attempt.return_to))
    end

    def complete(identity, token, claims)
      identity.seen_at_auther
      reset_session
      AutherSession.begin(cookies, token, Time.at(claims["exp"]).utc)
      AutherCutover.counters.add("auth_logins_total", door: "callback", side: "auther")
      Renewal.done(cookies)
      count_purpose("ok")
    end

    def failed(error)
      case error
      when LoginFailed then fail_login(error.reason, error.status)
      when Unavailable then fail_login(:verification_unavailable, 503, retry_after_s: error.retry_after_s)
      else fail_login(error.reason, error.reason == :identity_unlinked ? 409 : 403)
      end
    end

    def fail_login(reason, status, retry_after_s: nil)
      AutherCutover.logger.info(JSON.generate({ event: "auther_login_failed", purpose: @attempt&.purpose, reason: reason }))
      count_purpose(reason == :other_user ? "other_user" : "failed")

      AutherCutover.counters.add("auth_logins_failed_total", reason: reason.to_s)
      AutherSession.forget(cookies) if reason == :other_user
      show_failure(reason, status, retry_after_s)
    end

    def count_purpose(result)
      name = { "renew" => "auth_renewals_total", "exchange" => "auth_exchanges_total" }[@attempt&.purpose]
      AutherCutover.counters.add(name, result: result) if name
    end
  end
end
