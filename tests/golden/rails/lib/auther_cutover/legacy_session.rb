# frozen_string_literal: true

module AutherCutover
  # Devise's side of a request: the user key in the session and the remember-me cookie.
  class LegacySession
    def initialize(request)
      @request = request
      @scope = AutherCutover.settings.scope
    end

    # The user whom the session holds and who may use it. Looked up past Warden, which would keep the
    # answer and then not run Devise's hooks when the application asks.
    def user
      return @user if defined?(@user)

      found = Detector.user_key?(@request) ? warden.session_serializer.fetch(@scope) : nil
      @user = found if found && usable?(found) && !timed_out?(found)
      @user ||= nil
    end

    # The user whom the remember-me cookie names, by Devise's own check: no session is made for it.
    def remembered_user
      cookie = rememberable? && @request.cookie_jar.signed[remember_cookie]
      found = cookie && model.serialize_from_cookie(*cookie)
      found if found && usable?(found)
    end

    # A cookie that may hold one of the two is there. Asked before the session is read.
    def hinted?
      [Rails.configuration.session_options[:key].to_s, remember_cookie].any? { |name| @request.cookie_jar.key?(name) }
    end

    def loaded?
      @request.session.respond_to?(:loaded?) && @request.session.loaded?
    end

    # Is the user of this request. No session is written, no hook runs: hooks would reset failed_attempts, count
    # a sign-in and renew the session with each request.
    def use(user)
      @request.env["devise.skip_trackable"] = true
      warden.set_user(user, AutherCutover.settings.for_this_request)
    end

    # The key of the user whom the session names, good or not.
    def holds
      Array(@request.session[key]).first
    end

    def present?
      Detector.sees?(@request)
    end

    # Only the user goes: cart, CSRF token and the rest of the session belong to the visitor.
    def remove_user
      @request.session.delete(key)
      @request.session.delete("warden.user.#{@scope}.session")
    end

    # In this browser only: Devise's forget_me would end remember-me in all of them.
    def forget_browser
      options = Rails.configuration.session_options.slice(:path, :domain, :secure)
      @request.cookie_jar.delete(remember_cookie, options.merge(model.rememberable_options.except(:key)))
    end

    def end_all
      remove_user
      forget_browser if rememberable?
    end

    private

    def usable?(user)
      user.active_for_authentication? && !AutherCutover.revocations.include?(user.id)
    end

    def warden
      @request.env["warden"]
    end

    def model
      AutherCutover.settings.model
    end

    def key
      Detector.session_key
    end

    def rememberable?
      model.respond_to?(:rememberable_options)
    end

    def remember_cookie
      Detector.remember_cookie
    end

    def timed_out?(user)
      return false unless user.respond_to?(:timedout?)

      last = @request.session.dig("warden.user.#{@scope}.session", "last_request_at")
      user.timedout?(last.is_a?(Integer) ? Time.at(last).utc : nil)
    end
  end
end
