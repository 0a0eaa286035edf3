# frozen_string_literal: true

module AutherCutover
  # Whose request is this? Auther's credential in, one answer out, before the application runs.
  class Decision
    def initialize(request)
      @began_us = now_us
      @request = request
      @credential = Credential.from(request)
    end

    # Yields when the application may answer.
    def call(&app)
      refusal = judge
      return refusal if refusal
      return answered(&app) if @accepted

      without_auther do
        @waited_us = now_us - @began_us
        answered(&app)
      end
    ensure
      # On whose path it was is known in the end only.
      AutherCutover.counters.add(Counters::ERRORS, path: @path.to_s) if @failed && @path
    end

    private

    # Runs the application, and notes when it fails.
    def answered
      response = yield
      status, = response
      @failed = status.to_i >= 500
      response
    rescue Unavailable
      raise # ours, and counted as such
    rescue StandardError => error
      @failed = AutherCutover.status_of(error) >= 500
      raise
    end

    # An answer, or nil when the application may run.
    def judge
      case @credential.kind
      when :foreign then judge_foreign
      when :header, :cookie then judge_auther
      end
    end

    def judge_auther
      accept(principal(claims))
    rescue Unavailable => error
      count(:auther, :unavailable, :verification_unavailable)
      Answers.unavailable(error.retry_after_s)
    rescue Rejected => error
      cookie? ? refuse_cookie(error) : refuse_header(error)
    end

    def claims
      @claims = AutherCutover.token_verifier.verify(cookie? ? StoredToken.read(@credential.token) : @credential.token)
    end

    def principal(claims)
      Identity.resolve(claims).user
    end

    def accept(principal)
      count(:auther, :accepted, nil)
      admit(principal)
    end

    def admit(principal)
      env = @request.env
      env[PRINCIPAL] = principal
      env[CREDENTIAL] = @credential.kind
      env[CLAIMS] = @claims
      @accepted = true
      nil
    end

    # Never a fall-through to the session: a caller who names a credential means it.
    def refuse_header(error)
      count(:auther, :refused, error.reason)
      error.reason == :identity_unlinked ? Answers.json(409, "identity_unlinked") : Answers.unauthorized
    end

    def judge_foreign
      return refuse_foreign unless AutherCutover.settings.foreign_path?(@request.path_info)

      # The application's own authenticator answers for the bearer, and for nothing else.
      Foreign.hide_cookies(@request)
      count(:foreign, :accepted, nil)
      @accepted = true
      nil
    end

    def refuse_foreign
      count(:foreign, :refused, :foreign_bearer)
      Answers.unauthorized("foreign_bearer")
    end

    # No other credential is used in this request, whoever's it is; and none is ended either.
    def refuse_cookie(error)
      renewal = Renewal.path(@request, error)
      return renew(renewal) if renewal

      AutherSession.forget(@request.cookie_jar)
      return if error.stale?

      count(:auther, :refused, error.reason)
      return Answers.json(409, "identity_unlinked") if error.reason == :identity_unlinked

      navigation? ? to_login : Answers.unauthorized
    end

    # The cookie stays: the login that is about to begin is bound to its user.
    def renew(path)
      count(:auther, :refused, :expired)
      Answers.redirect(path)
    end

    def without_auther
      count_anonymous
      yield
    end

    def count_anonymous
      count(:none, :anonymous, @credential.kind == :other ? :other_scheme : nil)
    end

    def count(path, outcome, reason, details = nil)
      @path = path
      AutherCutover.counters.request(
        path: path, outcome: outcome, stage: stage_name, reason: reason, client: Client.kind(@request, path, @claims),
        # Some are counted when the application has run; its own time is not the shim's.
        waited_us: @waited_us || (now_us - @began_us), details: details
      )
    end

    def now_us
      Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond)
    end

    def stage_name
      "auther"
    end

    def to_login
      Answers.redirect(login_path(@request.get? ? @request.fullpath : nil))
    end

    def login_path(return_to)
      query = return_to ? "?#{URI.encode_www_form(return_to: return_to)}" : ""
      "#{@request.script_name}/auth/auther/start#{query}"
    end

    def cookie?
      @credential.kind == :cookie
    end

    def navigation?
      Answers.navigation?(@request)
    end
  end
end
