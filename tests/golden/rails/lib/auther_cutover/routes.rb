# frozen_string_literal: true

module AutherCutover
  module Routes
    # In front of the application's own routes, which may catch all.
    def self.draw(app)
      callback_path = AutherCutover.settings.callback_path
      app.routes.prepend do
        get "/auth/auther/start", to: "auther_sessions#start", as: :auther_login
        get callback_path, to: "auther_sessions#callback", as: :auther_callback
        get "/auth/auther/exchange", to: "auther_sessions#exchange", as: :auther_exchange
        post "/auth/auther/logout", to: "auther_sessions#logout", as: :auther_logout
        get "/auth/conflict", to: "auther_sessions#conflict", as: :auth_conflict
        post "/auth/conflict", to: "auther_sessions#clear"
      end
    end
  end
end
