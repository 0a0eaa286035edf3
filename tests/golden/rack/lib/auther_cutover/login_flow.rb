# frozen_string_literal: true

module AutherCutover
  # The browser's way to Auther and back, step by step. Whoever includes it has `request`, `params` and `cookies`,
  # and says how a browser is sent on (`leave_for`), how a failure is shown (`show_failure`) and how a session
  # ends (`reset_session`, `end_legacy_session`).
  module LoginFlow
    def start
      return leave_for(LoginChoice.new(request).legacy_login_path) if AutherCutover.stage.legacy?

      sub = Renewal.begin(cookies) if params[:renew]
      leave_for(LoginAttempt.start(cookies, params[:return_to], purpose: sub ? "renew" : "login", sub: sub).authorize_url)
    end

    # Back from Auther's exchange/start. Stage and who is signed in here may have changed meanwhile.
    def exchange
      take_attempt("exchange")
      exchange = Exchange.new(request)
      raise LoginFailed.new(:stage, 403) unless exchange.open?

      identity = exchange.exchangeable
      raise LoginFailed, :user_changed unless identity&.auther_id == @attempt.sub

      url = Exchange.redeem_url(@attempt, params[:nonce_hash])
      @attempt.remember(cookies)
      leave_for(url)
    end

    def callback
      take_attempt
      raise LoginFailed, :refused_by_auther if params[:error] || params[:code].to_s.empty?
      raise LoginFailed.new(:stage, 403) if AutherCutover.stage.legacy? && @attempt.purpose == "exchange"
      if AutherCutover.stage.legacy? && @attempt.purpose != "settle"
        return leave_for(LoginChoice.new(request).legacy_login_path)
      end

      token, claims = @attempt.redeem(params[:code])
      complete(Identity.resolve(claims), token, claims)
      return_to_page
    end

    # Ends the sign-in in this browser, on every side.
    def logout
      AutherSession.log_out(cookies)
      sign_out_here
      end_both_sides
      leave_for(AutherCutover.settings.after_login)
    end

    # Out of two people's sign-ins in one browser.
    def clear
      end_both_sides
      leave_for(LoginChoice.new(request).login_path)
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
      AutherCutover.stage.accepts_legacy? ? identity.move_home : identity.seen_at_auther
      end_legacy_session(identity.user)
      AutherSession.begin(cookies, token, Time.at(claims["exp"]).utc)
      AutherCutover.counters.add("auth_logins_total", door: "callback", side: "auther")
      Renewal.done(cookies)
      Exchange.done(cookies)
      count_purpose("ok")
    end

    # For a framework with hooks of its own around a sign-out.
    def sign_out_here; end

    def end_both_sides
      LegacySession.new(request).end_all
      AutherSession.forget(cookies)
      reset_session
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
      # A legacy session that could not be exchanged is as good as before: nobody's login has failed.
      return return_to_page if @attempt&.purpose == "exchange"

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
