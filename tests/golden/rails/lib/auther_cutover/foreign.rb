# frozen_string_literal: true

module AutherCutover
  # A request whose bearer is for the application's own authenticator: it must not find a session or a
  # cookie that would answer for it. What Rails itself does to a request without a CSRF token.
  module Foreign
    Controller = Struct.new(:request)

    def self.hide_cookies(request)
      ActionController::RequestForgeryProtection::ProtectionMethods::NullSession
        .new(Controller.new(request)).handle_unverified_request
    end
  end
end
