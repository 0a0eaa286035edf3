# frozen_string_literal: true

module AutherCutover
  # Which of the legacy side's ways in are open, and what somebody at a closed one is told.
  module DoorRules
    module_function

    # May a session gain this user? door: as it is counted.
    def open_to?(user, request, stage, door)
      case stage.stage
      when "legacy" then !Home.unsettled?(user)
      # A remembered browser goes on like a live session: moving a user signs nobody out.
      when "dual" then door == "remember_me" || !Answers.wants_page?(request) || !Home.moved?(user)
      when "drain" then Home.pinned?(user) || (!Answers.wants_page?(request) && json_open?)
      else false
      end
    end

    # Applications that cannot follow a redirect get until then.
    def json_open?
      until_time = AutherCutover.settings.json_doors_until
      !until_time.to_s.empty? && Time.now < Time.iso8601(until_time)
    end

    def answer(user, request, return_to)
      return Answers.json(403, "login_moved") unless Answers.wants_page?(request)
      return settle(user, request, return_to) if AutherCutover.stage.legacy?

      query = URI.encode_www_form(return_to: ReturnPath.clean(return_to))
      Answers.redirect("#{request.script_name}/auth/auther/start?#{query}")
    end

    # The one login at Auther that stage legacy knows.
    def settle(user, request, return_to)
      sub = Identity.of_user(user).auther_id
      Answers.redirect(LoginAttempt.start(request.cookie_jar, return_to, purpose: "settle", sub: sub).authorize_url)
    end
  end
end
