# frozen_string_literal: true

module AutherCutover
  # Sits in front of the application, behind the session.
  class Middleware
    OWN_PATHS = ["/auth/auther/start", "/auth/auther/logout"].freeze

    def initialize(app)
      @app = app
      exempt = OWN_PATHS + [AutherCutover.settings.callback_path] + AutherCutover.settings.exempt_paths
      @exempt = exempt.to_h { |path| [path, true] }
    end

    def call(env)
      request = ActionDispatch::Request.new(env)
      AutherCutover.beacon.ensure_running
      path = env["PATH_INFO"]
      return Metrics.answer(request) if path == Metrics::PATH
      return @app.call(env) if @exempt.key?(path)

      Decision.new(request).call { @app.call(env) }
    end
  end
end
