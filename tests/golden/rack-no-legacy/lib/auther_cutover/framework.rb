# frozen_string_literal: true

require "logger"
require "rack"
require "rack/session/abstract/id"
require "pg"

module AutherCutover
  # What this code has to know of the application. See the README for what each of them does.
  Application = Struct.new(
    :database, :find_user,
    keyword_init: true
  )

  class << self
    attr_writer :logger
    attr_reader :application

    # Called once, before `use AutherCutover::Middleware`.
    def integrate(**values)
      @application = Application.new(**values)
      # Before that Ruby only servers that fork a process which has answered requests would need it.
      Process.singleton_class.prepend(ForkBetweenRounds) if Process.respond_to?(:_fork)
    end

    # The decisions are JSON; so a line is its message.
    def logger
      @logger ||= Logger.new($stdout, formatter: ->(_severity, _time, _program, message) { "#{message}\n" })
    end

    def root
      Dir.pwd
    end

    # Their transactions would hide from other connections what they write.
    def in_tests?
      ENV["RACK_ENV"] == "test"
    end

    # The status that an error of the application is answered with; Sinatra's own errors know it.
    def status_of(error)
      error.respond_to?(:http_status) ? error.http_status : 500
    end

    # Who is there: what `find_user` gave, or nil. On Auther's word.
    def user(env)
      env[PRINCIPAL]&.record
    end

    # :header, :cookie, or nil for nobody. Only a request with :header needs no CSRF token.
    def credential(env)
      env[CREDENTIAL]
    end

    def claims(env)
      env[CLAIMS]
    end

    # For the application's own way out: ends Auther's side in this browser, and Auther's own session.
    def sign_out(env)
      jar = Request.new(env).cookie_jar
      env[CREDENTIAL] ? AutherSession.log_out(jar) : AutherSession.forget(jar)
    end
  end
end
