# frozen_string_literal: true

module AutherCutover
  # Devise's own pages to sign in and out; nil where an application has none.
  module LegacyPages
    module_function

    def sign_in
      path("new")
    end

    def sign_out
      path("destroy")
    end

    def path(action)
      Rails.application.routes.url_helpers.try("#{action}_#{AutherCutover.settings.scope}_session_path")
    end
  end
end
