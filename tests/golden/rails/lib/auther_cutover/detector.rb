# frozen_string_literal: true

module AutherCutover
  # Sees that a request brings a legacy credential: a user in the session, or a remember-me cookie. It signs
  # nobody in, and stays in place when the rest of the legacy side has gone.
  module Detector
    module_function

    def sees?(request)
      user_key?(request) || request.cookie_jar.key?(remember_cookie)
    end

    def user_key?(request)
      request.session[session_key].present?
    end

    def session_key
      AutherCutover.settings.session_key
    end

    def remember_cookie
      default = "remember_#{AutherCutover.settings.scope}_token"
      model = AutherCutover.settings.model
      model.respond_to?(:rememberable_options) ? model.rememberable_options.fetch(:key, default).to_s : default
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
      cookies = sealed_session
      seen = false
      through_sessions(cookies) { |env| seen = Detector.sees?(ActionDispatch::Request.new(env)) }
      seen
    rescue StandardError => error # whatever it is, the detector saw nothing
      Rails.logger.warn("auther_cutover: detection control: #{error.class}")
      false
    end

    def sealed_session
      _, headers, = through_sessions(nil) do |env|
        Warden::SessionSerializer.new(env).store(fixture, AutherCutover.settings.scope)
      end
      lines = Array(headers["Set-Cookie"] || headers["set-cookie"]).flat_map { |line| line.split("\n") }
      lines.map { |line| line[/\A[^;]+/] }.join("; ")
    end

    # Nobody: a row that is not saved.
    def fixture
      model = AutherCutover.settings.model
      model.new.tap do |user|
        user.id = 0
        user.id ||= SecureRandom.uuid
      end
    end

    def through_sessions(cookies)
      app = lambda do |env|
        yield env
        [204, {}, []]
      end
      env = Rails.application.env_config.merge(Rack::MockRequest.env_for("https://fixture.invalid/"))
      env["HTTP_COOKIE"] = cookies if cookies
      ActionDispatch::Cookies.new(sessions(app)).call(env)
    end

    # The application's store where the cookie is all there is; in memory where it would write rows.
    def sessions(app)
      options = Rails.configuration.session_options.dup
      store = Rails.configuration.session_store
      return store.new(app, options) if store == ActionDispatch::Session::CookieStore

      ActionDispatch::Session::CacheStore.new(app, options.merge(cache: memory))
    end

    def memory
      @memory ||= ActiveSupport::Cache::MemoryStore.new(size: 65_536)
    end
  end
end
