# frozen_string_literal: true

module AutherCutover
  module Routes
    # In front of the application's own routes, which may catch all.
    def self.draw(app)
      callback_path = AutherCutover.settings.callback_path
      app.routes.prepend do
        get "/auth/auther/start", to: "auther_sessions#start", as: :auther_login
        get callback_path, to: "auther_sessions#callback", as: :auther_callback
        post "/auth/auther/logout", to: "auther_sessions#logout", as: :auther_logout
      end
    end
  end
end
