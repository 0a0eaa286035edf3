# frozen_string_literal: true

# The browser's way to Auther and back. Not an ApplicationController: its filters ask for a user.
class AutherSessionsController < ActionController::Base
  include AutherCutover::LoginFlow

  protect_from_forgery with: :exception
  layout false
  before_action { response.headers["Cache-Control"] = "no-store" }

  rescue_from AutherCutover::LoginFailed, AutherCutover::Rejected, AutherCutover::Unavailable do |error|
    failed(error)
  end

  private

  def leave_for(url)
    redirect_to url, status: :see_other, allow_other_host: true
  end

  def show_failure(reason, status, retry_after_s)
    response.headers["Retry-After"] = retry_after_s.to_s if retry_after_s
    @reason = reason
    render :failed, status: status
  end
end
