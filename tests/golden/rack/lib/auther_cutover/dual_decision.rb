# frozen_string_literal: true

module AutherCutover
  # The same while the application's own sessions count too.
  class DualDecision < Decision
    def initialize(request)
      super
      @stage = request.env[STAGE] = AutherCutover.stage
      @accepts_legacy = @stage.accepts_legacy?
      @legacy = request.legacy
    end

    private

    def principal(claims)
      raise Rejected, :stopped if @stage.refuses_auther?

      super
    end

    def accept(user)
      legacy_user = @legacy.user if @accepts_legacy
      return conflict(user) if legacy_user && legacy_user != user

      reason = drop_ended_legacy
      count(legacy_user ? :both : :auther, :accepted, reason)
      admit(user)
    end

    def admit(user)
      @legacy.use(user)
      super
    end

    def drop_ended_legacy
      return if @accepts_legacy || !@legacy.present?

      @legacy.end_all
      :legacy_stale
    end

    def conflict(user)
      count(:both, :refused, :conflict, { legacy: short_hash(@legacy.user.id), auther: short_hash(user.id) })
      # The application's own way out stays open: with the session it ends our cookie too.
      return let_out if @request.path_info == LegacyPages.sign_out

      return Answers.redirect("#{@request.script_name}/auth/conflict") if cookie? && navigation?

      Answers.unauthorized("auth_conflict")
    end

    def let_out
      @accepted = true
      nil
    end

    def without_auther(&app)
      return refuse_ended_legacy if !@accepts_legacy && @legacy.present?

      # Only for whoever brings nothing of Auther's: a cookie that was just refused leads to a login.
      exchange = Exchange.new(@request, @stage)
      exchange_url = exchange.start_url if @credential.kind == :none
      return go_to_exchange(exchange_url) if exchange_url

      admit_remembered if exchange.open?
      run_and_count(&app)
    end

    def go_to_exchange(url)
      count(:legacy, :accepted, nil)
      Answers.redirect(url)
    end

    # In drain no session gains a user any more. Whom the browser remembers stays signed in all the same,
    # request by request: in a second tab, in a script, while Auther is away.
    def admit_remembered
      return if !@stage.drain? || @credential.kind == :other

      user = @legacy.remembered_user
      return if user.nil? || @legacy.user

      @legacy.use(user)
      @request.env[Doors::LEGACY_USER] = user.id
    end

    # In an ensure: Warden's throw for "please sign in" passes here too.
    def run_and_count
      yield
    ensure
      count_legacy_or_nobody
    end

    def refuse_ended_legacy
      @legacy.end_all
      count(:legacy, :refused, :legacy_refused)
      navigation? ? to_login : Answers.unauthorized("legacy_ended")
    end

    # A user in a session that the application read is a legacy user, asked for or not. A session
    # that it did not read is left alone: loading it would add a cookie to a page that has none.
    def count_legacy_or_nobody
      return count(:legacy, :refused, :revoked) if @request.env[Doors::REVOKED]

      user_id = @request.env[Doors::LEGACY_USER] || (@legacy.user&.id if @legacy.loaded?)
      return count_anonymous unless user_id

      AutherCutover.beacon.saw_legacy(user_id)
      count(:legacy, :accepted, nil)
    end

    def stage_name
      @stage.stage
    end

    def login_path(return_to)
      LoginChoice.new(@request, @stage).login_path(return_to: return_to)
    end

    def short_hash(id)
      Digest::SHA256.hexdigest(id.to_s)[0, 12]
    end
  end
end
