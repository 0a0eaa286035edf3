# frozen_string_literal: true

module AutherCutover
  # No other site can make a browser send our Authorization header, so a request that was accepted
  # for that header needs no CSRF token. Cookies and sessions do, Auther's cookie included.
  module CsrfProtection
    private

    def verified_request?
      super || request.env[CREDENTIAL] == :header
    end
  end
end
