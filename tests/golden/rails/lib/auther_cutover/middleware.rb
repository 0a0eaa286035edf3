# frozen_string_literal: true

module AutherCutover
  # Sits behind Warden::Manager and in front of the application.
  class Middleware
    OWN_PATHS = ["/auth/auther/start", Exchange::PATH, "/auth/auther/logout", "/auth/conflict"].freeze

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
      return AutherCutover.control.answer(request) if AutherCutover.control.genuine?(request)
      return @app.call(env) if @exempt.key?(path)

      DualDecision.new(request).call { @app.call(env) }
    rescue Unavailable => error # which stage holds
      AutherCutover.counters.request(path: :none, outcome: :unavailable, stage: "unknown",
                                     client: Client.kind(request, :none))
      Answers.unavailable(error.retry_after_s)
    end
  end
end
