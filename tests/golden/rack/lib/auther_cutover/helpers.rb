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

    # For login pages. cohort: a group of the application's own making that the switch may move first.
    def auther_login?(cohort: nil)
      LoginChoice.new(Request.new(request.env), cohort: cohort).auther?
    end

    def migrator_login_path(cohort: nil, return_to: nil)
      LoginChoice.new(Request.new(request.env), cohort: cohort).login_path(return_to: return_to)
    end
  end
end
