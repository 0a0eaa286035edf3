# frozen_string_literal: true

module AutherCutover
  # A request whose bearer is for the application's own authenticator: it must not find a session or a
  # cookie that would answer for it.
  module Foreign
    # Empty, and not stored, so that what the visitor has stays as it is.
    class NoSession < Rack::Session::Abstract::SessionHash
      def initialize(request)
        super(nil, request)
        @data = {}
        @loaded = true
      end

      def destroy
        clear
      end
    end

    def self.hide_cookies(request)
      request.delete_header("HTTP_COOKIE")
      request.set_header("rack.session.options", { skip: true })
      request.set_header("rack.session", NoSession.new(request))
    end
  end
end
