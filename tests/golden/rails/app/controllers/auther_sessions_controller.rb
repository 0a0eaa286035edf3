# frozen_string_literal: true

# The browser's way to Auther and back. Not an ApplicationController: its filters ask for a user.
class AutherSessionsController < ActionController::Base
  protect_from_forgery with: :exception
  layout false
  before_action { response.headers["Cache-Control"] = "no-store" }

  rescue_from AutherCutover::LoginFailed do |error|
    fail_login(error.reason, error.status)
  end
  rescue_from AutherCutover::Rejected do |error|
    fail_login(error.reason, error.reason == :identity_unlinked ? 409 : 403)
  end
  rescue_from AutherCutover::Unavailable do |error|
    response.headers["Retry-After"] = error.retry_after_s.to_s
    fail_login(:verification_unavailable, 503)
  end

  def start
    return redirect_to_legacy_login if AutherCutover.stage.legacy?

    sub = AutherCutover::Renewal.begin(cookies) if params[:renew]
    purpose = sub ? "renew" : "login"
    attempt = AutherCutover::LoginAttempt.start(cookies, params[:return_to], purpose: purpose, sub: sub)
    redirect_to attempt.authorize_url, status: :see_other, allow_other_host: true
  end

  # Back from Auther's exchange/start. Stage and who is signed in here may have changed meanwhile.
  def exchange
    take_attempt("exchange")
    exchange = AutherCutover::Exchange.new(request)
    raise AutherCutover::LoginFailed.new(:stage, 403) unless exchange.open?

    identity = exchange.exchangeable
    raise AutherCutover::LoginFailed, :user_changed unless identity&.auther_id == @attempt.sub

    url = AutherCutover::Exchange.redeem_url(@attempt, params[:nonce_hash])
    @attempt.remember(cookies)
    redirect_to url, status: :see_other, allow_other_host: true
  end

  def callback
    take_attempt
    raise AutherCutover::LoginFailed, :refused_by_auther if params[:error] || params[:code].blank?
    raise AutherCutover::LoginFailed.new(:stage, 403) if AutherCutover.stage.legacy? && @attempt.purpose == "exchange"
    return redirect_to_legacy_login if AutherCutover.stage.legacy? && @attempt.purpose != "settle"

    token, claims = @attempt.redeem(params[:code])
    complete(AutherCutover::Identity.resolve(claims), token, claims)
    return_to_page
  end

  # Ends the sign-in in this browser, on every side.
  def logout
    AutherCutover::AutherSession.log_out(cookies)
    sign_out(AutherCutover.settings.scope)
    end_both_sides
    redirect_to AutherCutover.settings.after_login, status: :see_other
  end

  # Two people are signed in in this browser. The page names neither.
  def conflict; end

  def clear
    end_both_sides
    choice = AutherCutover::LoginChoice.new(request)
    redirect_to choice.login_path, status: :see_other
  end

  private

  def take_attempt(purpose = nil)
    @attempt = AutherCutover::LoginAttempt.take(cookies, params[:state])
    raise AutherCutover::LoginFailed, :state if @attempt.nil? || (purpose && @attempt.purpose != purpose)
  end

  def return_to_page
    redirect_to AutherCutover::ReturnPath.clean(@attempt.return_to), status: :see_other
  end

  def complete(identity, token, claims)
    AutherCutover.stage.accepts_legacy? ? identity.move_home : identity.seen_at_auther
    end_legacy_session(identity.user)
    AutherCutover::AutherSession.begin(cookies, token, Time.at(claims["exp"]).utc)
    AutherCutover.counters.add("auth_logins_total", door: "callback", side: "auther")
    AutherCutover::Renewal.done(cookies)
    AutherCutover::Exchange.done(cookies)
    count_purpose("ok")
  end

  # Somebody else's session goes as a whole. The own one keeps cart and the like under a new id.
  def end_legacy_session(user)
    legacy = AutherCutover::LegacySession.new(request)
    reset_session if legacy.user && legacy.user != user
    legacy.end_all
    session.delete(:_csrf_token)
    request.session_options[:renew] = true
  end

  def end_both_sides
    AutherCutover::LegacySession.new(request).end_all
    AutherCutover::AutherSession.forget(cookies)
    reset_session
  end

  def redirect_to_legacy_login
    redirect_to AutherCutover::LoginChoice.new(request).legacy_login_path, status: :see_other
  end

  def fail_login(reason, status)
    logger.info({ event: "auther_login_failed", purpose: @attempt&.purpose, reason: reason }.to_json)
    count_purpose(reason == :other_user ? "other_user" : "failed")
    # A legacy session that could not be exchanged is as good as before: nobody's login has failed.
    return return_to_page if @attempt&.purpose == "exchange"

    AutherCutover.counters.add("auth_logins_failed_total", reason: reason.to_s)
    AutherCutover::AutherSession.forget(cookies) if reason == :other_user
    @reason = reason
    render :failed, status: status
  end

  def count_purpose(result)
    name = { "renew" => "auth_renewals_total", "exchange" => "auth_exchanges_total" }[@attempt&.purpose]
    AutherCutover.counters.add(name, result: result) if name
  end
end
