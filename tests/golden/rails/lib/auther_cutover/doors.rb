# frozen_string_literal: true

module AutherCutover
  # Every way into Devise ends where a session gains a user: password form, remember-me, password
  # reset, registration, OmniAuth. So that is where legacy sign-ins are counted, and closed by stage.
  module Doors
    # Where the hooks leave whom Devise accepted in this request, and that it held somebody whom it may not.
    LEGACY_USER = "auther_cutover.legacy_user"
    REVOKED = "auther_cutover.revoked"

    BY_STRATEGY = {
      "Devise::Strategies::DatabaseAuthenticatable" => "form",
      "Devise::Strategies::Rememberable" => "remember_me"
    }.freeze
    BY_CONTROLLER = {
      "sessions" => "form", "passwords" => "password_reset", "registrations" => "registration",
      "confirmations" => "confirmation", "unlocks" => "unlock", "omniauth_callbacks" => "omniauth",
      "invitations" => "invitation"
    }.freeze

    module_function

    def close_by_stage
      scope = AutherCutover.settings.scope
      # Loads the model, and with it Devise's hooks: ours have to be the first and the last.
      AutherCutover.settings.model
      Warden::Manager.prepend_after_set_user(only: :fetch, scope: scope) do |user, warden, _options|
        Doors.end_revoked(user, warden)
      end
      Warden::Manager.prepend_after_set_user(except: :fetch, scope: scope) do |user, warden, options|
        Doors.enter(user, warden, options)
      end
      Warden::Manager.after_set_user(scope: scope) do |user, warden, _options|
        warden.env[LEGACY_USER] = user.id
      end
      Warden::Manager.before_logout(scope: scope) do |_user, warden, _options|
        warden.env[CREDENTIAL] ? AutherSession.log_out(warden.request.cookie_jar) : AutherSession.forget(warden.request.cookie_jar)
      end
      Devise::Strategies::DatabaseAuthenticatable.prepend(PasswordAtAuther)
    end

    def enter(user, warden, options)
      door = name_of(warden, options)
      stage = stage_at(door, warden.env)
      end_revoked(user, warden) if door == "remember_me"
      return refuse(user, warden, door, options) unless open_to?(user, warden.request, stage, door, options)

      AutherCutover.counters.add("auth_logins_total", door: door, side: "legacy") if options[:store] != false
      shadow(user, warden) if door == "form"
      # Two sides at once in one browser would be a conflict from the next request on.
      AutherSession.forget(warden.request.cookie_jar)
    end

    # Whom the browser remembers came by the stage of the request's beginning. Refused by one that began meanwhile,
    # the browser would forget them instead of being exchanged.
    def stage_at(door, env)
      (env[STAGE] if door == "remember_me") || AutherCutover.stage
    end

    def shadow(user, warden)
      strategy = warden.winning_strategy
      AutherCutover.shadow.check(user.id.to_s, strategy.password) if strategy.respond_to?(:password)
    end

    # HTTP Basic (store: false) gains no session, so it ends with the legacy side as a whole.
    def open_to?(user, request, stage, door, options)
      return stage.accepts_legacy? if options[:store] == false

      DoorRules.open_to?(user, request, stage, door)
    end

    # Warden has put the user into the session already. It is taken out by hand: a logout would run
    # the hooks that end remember-me in the user's other browsers.
    def refuse(user, warden, door, options)
      request = warden.request
      AutherCutover.counters.add("auth_logins_refused_total", door: door, stage: AutherCutover.stage.stage)
      legacy = LegacySession.new(request)
      legacy.remove_user
      legacy.forget_browser if door == "remember_me"
      throw :warden, answer(user, request, options)
    end

    # Signed out everywhere at Auther: that ends this user's sessions here too.
    def end_revoked(user, warden)
      return unless AutherCutover.revocations.include?(user.id)

      request = warden.request
      request.env[REVOKED] = true
      LegacySession.new(request).end_all
      to_login = Answers.navigation?(request) && LoginChoice.new(request).login_path(return_to: request.fullpath)
      throw :warden, to_login ? Answers.redirect(to_login) : Answers.unauthorized("legacy_ended")
    end

    def answer(user, request, options)
      return Answers.unauthorized("legacy_ended") if options[:store] == false

      return_to = request.get? ? request.fullpath : request.session["#{AutherCutover.settings.scope}_return_to"]
      DoorRules.answer(user, request, return_to)
    end

    def name_of(warden, options)
      return "basic" if options[:store] == false
      return BY_STRATEGY.fetch(warden.winning_strategy.class.name, "other") if options[:event] == :authentication

      controller = warden.request.path_parameters[:controller].to_s.split("/").last
      BY_CONTROLLER.fetch(controller, "other")
    end
  end
end
