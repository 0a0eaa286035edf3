# frozen_string_literal: true

module AutherCutover
  # Sits behind the session and in front of the application.
  class Middleware
    def initialize(app)
      raise Misconfigured, "auther_cutover: call AutherCutover.integrate first" unless AutherCutover.application

      @app = app
      # Nearly all requests are for other paths, which one look tells.
      own = Pages.steps.keys + AutherCutover.settings.exempt_paths
      @own = own.to_h { |path| [path, true] }
    end

    def call(env)
      request = Request.new(env)
      AutherCutover.beacon.ensure_running
      request.with_cookies(answer(request))
    end

    private

    def answer(request)
      env = request.env
      path = env["PATH_INFO"]
      return Metrics.answer(request) if path == Metrics::PATH

      own = own_answer(request, path) if @own.key?(path)
      own || Decision.new(request).call { application(request) }
    end

    # nil for one of its pages that is asked for in another way.
    def own_answer(request, path)
      step = Pages.step(request)
      return Pages.new(request).call(step) if step

      application(request) if AutherCutover.settings.exempt_paths.include?(path)
    end

    def application(request)
      @app.call(request.env)
    end
  end
end
