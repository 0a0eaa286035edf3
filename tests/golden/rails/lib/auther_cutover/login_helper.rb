# frozen_string_literal: true

module AutherCutover
  # For login pages: `<%= link_to "Sign in", migrator_login_path %>`, and
  # `<% unless auther_login? %>` around the password form.
  module LoginHelper
    def auther_login?(cohort: nil)
      LoginChoice.new(request, cohort: cohort).auther?
    end

    def migrator_login_path(cohort: nil, return_to: nil)
      LoginChoice.new(request, cohort: cohort).login_path(return_to: return_to)
    end
  end
end
