# frozen_string_literal: true

module AutherCutover
  # Complete answers, for requests that the application does not get to see.
  module Answers
    NO_STORE = { "Cache-Control" => "no-store" }.freeze

    module_function

    def json(status, error, headers = {})
      body = JSON.generate({ error: error })
      [status, { "Content-Type" => "application/json" }.merge(NO_STORE, headers), [body]]
    end

    # Ours, not Devise's failure app: that one redirects and sets cookies.
    def unauthorized(error = "invalid_token")
      json(401, error, "WWW-Authenticate" => 'Bearer error="invalid_token"')
    end

    def unavailable(retry_after_s)
      json(503, "verification_unavailable", "Retry-After" => retry_after_s.to_s)
    end

    def redirect(path)
      [303, { "Location" => path, "Content-Type" => "text/plain" }.merge(NO_STORE), []]
    end

    # A person on the way to a page, who can be sent to another one.
    def navigation?(request)
      (request.get? || request.head?) && wants_page?(request)
    end

    # A navigation that may go the long way over Auther: a HEAD would not.
    def detour?(request)
      request.get? && wants_page?(request)
    end

    # The same for a form's POST.
    def wants_page?(request)
      mode = request.get_header("HTTP_SEC_FETCH_MODE")
      mode ? mode == "navigate" : request.get_header("HTTP_ACCEPT").to_s.include?("text/html")
    end
  end
end
