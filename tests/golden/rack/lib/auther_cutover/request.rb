# frozen_string_literal: true

module AutherCutover
  # A request with the cookies that this code writes.
  class Request < Rack::Request
    JAR = "auther_cutover.cookie_jar"
    # What a form sent, where somebody has read it already. The body itself is the application's.
    FORM = "rack.request.form_hash"

    def cookie_jar
      env[JAR] ||= CookieJar.new(cookies)
    end

    # One for all who look at it before and after the application runs.
    def legacy
      @legacy ||= LegacySession.new(self)
    end

    # An answer with the cookies that it sets.
    def with_cookies(answer)
      return answer unless env.key?(JAR)

      status, headers, body = answer
      [status, cookie_jar.write(headers), body]
    end

    # Where the page in front of a form wanted the person to go.
    def return_to
      sent = self.GET.merge(env[FORM] || {})
      sent["return_to"]
    rescue Rack::QueryParser::InvalidParameterError, Rack::QueryParser::ParameterTypeError, RangeError
      nil
    end
  end
end
