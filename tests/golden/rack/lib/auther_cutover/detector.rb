# frozen_string_literal: true

module AutherCutover
  # Sees that a request brings a legacy credential: a user in the session, or a remember-me cookie. It signs
  # nobody in, and stays in place when the rest of the legacy side has gone.
  module Detector
    module_function

    def sees?(request)
      LegacySession.new(request).present?
    end
  end

  # Lets the detector see a session that the application's own code has just made and sealed, once a minute:
  # a detector that a renamed cookie has blinded counts as zero legacy sessions too.
  class DetectionControl
    EVERY_S = 60

    def sees_fixture?
      now_s = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      return @seen if @looked_at && now_s - @looked_at < EVERY_S

      @looked_at = now_s
      @seen = look
    end

    private

    def look
      seen = false
      cookies = sealed_session
      through_sessions("HTTP_COOKIE" => cookies) { |request| seen = Detector.sees?(request) }
      seen
    rescue StandardError => error # whatever it is, the detector saw nothing
      AutherCutover.logger.warn("auther_cutover: detection control: #{error.class}")
      false
    end

    def sealed_session
      _, headers, = through_sessions({}) { |request| AutherCutover.application.sessions.fixture(request) }
      lines = Array(headers["Set-Cookie"] || headers["set-cookie"]).flat_map { |line| line.split("\n") }
      lines.map { |line| line[/\A[^;]+/] }.join("; ")
    end

    def through_sessions(headers, &step)
      @step = step
      sessions.call(Rack::MockRequest.env_for("https://fixture.invalid/", headers))
    end

    # The application's store where the cookie is all there is; in memory where it would write rows.
    def sessions
      @sessions ||= begin
        store, options = AutherCutover.application.session_store
        store = Rack::Session::Pool unless store <= Rack::Session::Cookie
        store.new(method(:step), options)
      end
    end

    def step(env)
      @step.call(Request.new(env))
      [204, {}, []]
    end
  end
end
