# frozen_string_literal: true

module AutherCutover
  # For controllers. `def current_user = auther_user` where the application's pages ask for that.
  module Authentication
    extend ActiveSupport::Concern

    included { helper_method :auther_user }

    # Whom Auther's token names in this request, or nil.
    def auther_user
      request.env[PRINCIPAL]
    end

    def authenticate_auther!
      return if auther_user
      return redirect_to(auther_login_path(return_to: request.fullpath), status: :see_other) if Answers.navigation?(request)

      response.headers["WWW-Authenticate"] = "Bearer"
      head :unauthorized
    end
  end
end
