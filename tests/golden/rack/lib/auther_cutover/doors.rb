# frozen_string_literal: true

module AutherCutover
  # However the application signs people in, it ends where its session gains a user. So that is where legacy
  # sign-ins are counted, and closed by stage: the session is compared before and after each request, and nothing
  # of an answer that closed doors forbid leaves this place.
  module Doors
    # The user whom the legacy side answered for, and that the session held somebody whom it may not.
    LEGACY_USER = "auther_cutover.legacy_user"
    REVOKED = "auther_cutover.revoked"
    # Thrown with a complete answer, which ends the request whatever error pages the application has.
    ANSWER = :auther_cutover_answer
    # How the application calls the door that it opens, where the path does not say it.
    NAME = "auther_cutover.door"
    # The user whose password was accepted in this request; and that password, for the shadow check.
    ACCEPTED = "auther_cutover.accepted"
    PASSWORD = "auther_cutover.password"

    module_function

    # Yields for the application's answer.
    def watch(request)
      legacy = request.legacy
      before = legacy.holds
      remembered = legacy.remembered_id unless before
      named = before || remembered
      return end_revoked(request, legacy) if named && AutherCutover.revocations.include?(named)

      answer = catch(ANSWER) { yield }
      gained = gained_user(request, legacy, before)
      answer = enter(request, answer, gained, remembered) if gained
      done = true
      answer
    ensure
      # Left by an error, or by a throw of somebody else's, as Warden's is: a failure signs nobody in.
      legacy.remove_user if !done && gained_user(request, legacy, before)
    end

    # The user whom the session holds now and did not before, or who came in through a door once more.
    def gained_user(request, legacy, before)
      after = legacy.holds_now
      after if after && (after != before || (request.env[ACCEPTED] == after && at_door?(request)))
    end

    def at_door?(request)
      request.env.key?(NAME) || doors.key?(request.path_info)
    end

    def doors
      AutherCutover.application.doors.to_h
    end

    # Signed out everywhere at Auther: that ends this user's sessions here too.
    def end_revoked(request, legacy)
      request.env[REVOKED] = true
      legacy.end_all
      return Answers.unauthorized("legacy_ended") unless Answers.navigation?(request)

      Answers.redirect(LoginChoice.new(request).login_path(return_to: request.fullpath))
    end

    def enter(request, answer, id, remembered)
      user = Person.new(id, nil)
      door = name_of(request, user, remembered)
      stage = AutherCutover.stage
      return refuse(request, answer, user, door) unless DoorRules.open_to?(user, request, stage, door)

      AutherCutover.counters.add("auth_logins_total", door: door, side: "legacy")
      AutherCutover.shadow.check(id, request.env.delete(PASSWORD))
      request.env[LEGACY_USER] = id
      # Two sides at once in one browser would be a conflict from the next request on.
      AutherSession.forget(request.cookie_jar)
      answer
    end

    def refuse(request, answer, user, door)
      request.legacy.remove_user
      # Whom the browser remembers stays signed in request by request, in drain too; only no session is made of it.
      return answer if door == "remember_me" && request.env[LEGACY_USER] == user.id

      AutherCutover.counters.add("auth_logins_refused_total", door: door, stage: AutherCutover.stage.stage)
      request.legacy.forget_browser if door == "remember_me"
      answer[2].close if answer[2].respond_to?(:close)
      DoorRules.answer(user, request, request.get? ? request.fullpath : request.return_to)
    end

    def name_of(request, user, remembered)
      named = request.env[NAME] || doors[request.path_info]
      named || (remembered == user.id ? "remember_me" : "other")
    end
  end
end
