# frozen_string_literal: true

module AutherCutover
  # Sits behind the session and in front of the application.
  class Middleware
    def initialize(app)
      raise Misconfigured, "auther_cutover: call AutherCutover.integrate first" unless AutherCutover.application

      @app = app
    end

    def call(env)
      request = Request.new(env)
      AutherCutover.beacon.ensure_running
      status, headers, body = answer(request)
      [status, request.with_cookies(headers), body]
    end

    private

    def answer(request)
      path = request.env["PATH_INFO"]
      return Metrics.answer(request) if path == Metrics::PATH
      return AutherCutover.control.answer(request) if AutherCutover.control.genuine?(request)

      step = Pages.step(request)
      return Pages.new(request).call(step) if step
      return application(request) if AutherCutover.settings.exempt_paths.include?(path)

      DualDecision.new(request).call { application(request) }
    rescue Unavailable => error # which stage holds
      AutherCutover.counters.request(path: :none, outcome: :unavailable, stage: "unknown",
                                     client: Client.kind(request, :none))
      Answers.unavailable(error.retry_after_s)
    end

    def application(request)
      Doors.watch(request) { @app.call(request.env) }
    end
  end
end
