# frozen_string_literal: true

module AutherCutover
  # For whatever has a method `request` that knows its `env`, as Sinatra's applications do.
  module Helpers
    def auther_user
      AutherCutover.user(request.env)
    end

    def auther_credential
      AutherCutover.credential(request.env)
    end

    def auther_login_path(return_to: nil)
      query = return_to ? "?#{URI.encode_www_form(return_to: return_to)}" : ""
      "#{request.script_name}/auth/auther/start#{query}"
    end
  end
end
