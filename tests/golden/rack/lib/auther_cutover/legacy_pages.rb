# frozen_string_literal: true

module AutherCutover
  # The application's own pages to sign in and out.
  module LegacyPages
    module_function

    def sign_in
      AutherCutover.application.sign_in_path
    end

    def sign_out
      AutherCutover.application.sign_out_path
    end
  end
end
