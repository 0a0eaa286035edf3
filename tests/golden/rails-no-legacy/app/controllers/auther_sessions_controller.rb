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
    sub = AutherCutover::Renewal.begin(cookies) if params[:renew]
    purpose = sub ? "renew" : "login"
    attempt = AutherCutover::LoginAttempt.start(cookies, params[:return_to], purpose: purpose, sub: sub)
    redirect_to attempt.authorize_url, status: :see_other, allow_other_host: true
  end

  def callback
    take_attempt
    raise AutherCutover::LoginFailed, :refused_by_auther if params[:error] || params[:code].blank?

    token, claims = @attempt.redeem(params[:code])
    complete(AutherCutover::Identity.resolve(claims), token, claims)
    return_to_page
  end

  # Ends the sign-in in this browser, on every side.
  def logout
    AutherCutover::AutherSession.log_out(cookies)
    reset_session
    redirect_to AutherCutover.settings.after_login, status: :see_other
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
    identity.seen_at_auther
    reset_session
    AutherCutover::AutherSession.begin(cookies, token, Time.at(claims["exp"]).utc)
    AutherCutover.counters.add("auth_logins_total", door: "callback", side: "auther")
    AutherCutover::Renewal.done(cookies)
    count_purpose("ok")
  end

  def fail_login(reason, status)
    logger.info({ event: "auther_login_failed", purpose: @attempt&.purpose, reason: reason }.to_json)
    count_purpose(reason == :other_user ? "other_user" : "failed")

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
