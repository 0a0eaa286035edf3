# frozen_string_literal: true

module AutherCutover
  # The application's side of a request, through what its team says of its sessions.
  class LegacySession
    KNOWN = "auther_cutover.known"

    def initialize(request)
      # The application's own kind of request knows no cookie jar.
      @request = request.is_a?(Request) ? request : Request.new(request.env)
      @application = AutherCutover.application
      @sessions = @application.sessions
    end

    # The user whom the session holds and who may use it; looked up once in a request.
    def user
      id = holds
      return unless id

      known = @request.env[KNOWN]
      known&.id == id ? known : @request.env[KNOWN] = usable(@sessions.user_id(@request))
    end

    # The user whom the remember-me cookie names, by the application's own check: no session is made for it.
    def remembered_user
      usable(remembered_id)
    end

    # A cookie that may hold one of the two is there. Asked before the session is read: an empty one that was read
    # would be written, with a cookie to a page that has none.
    def hinted?
      @request.cookie_jar.key?(session_cookie) || remembered?
    end

    def loaded?
      session = @request.env[Rack::RACK_SESSION]
      !session.respond_to?(:loaded?) || session.loaded?
    end

    # The id of the user whom the session names, good or not; nobody is asked. As it was when somebody looked last.
    def holds
      @looked ? @held : holds_now
    end

    # The same after the application may have changed it.
    def holds_now
      @looked = true
      @held = loaded? || hinted? ? @sessions.held(@request)&.to_s : nil
    end

    def remembered?
      !remember_cookie.nil? && @request.cookie_jar.key?(remember_cookie)
    end

    def present?
      !holds.nil? || remembered?
    end

    # The id of the user whom the remember-me cookie names, by the application's own check.
    def remembered_id
      return @remembered_id if defined?(@remembered_id)

      @remembered_id = remembered? ? @sessions.remembered_id(@request)&.to_s : nil
    end

    # Is the user of this request. No session is written.
    def use(person)
      @request.env[PRINCIPAL] = person
      @sessions.use(@request, person.record) if @sessions.respond_to?(:use)
    end

    # Only the user goes: cart, CSRF token and the rest of the session belong to the visitor.
    def remove_user
      @sessions.forget(@request) if holds
      @held = nil
    end

    # In this browser only: others stay remembered.
    def forget_browser
      options = { path: "/" }.merge(@application.remember_cookie_options || {})
      @request.cookie_jar.delete(remember_cookie, options) if remembered?
    end

    def end_all
      remove_user
      forget_browser
    end

    private

    def usable(id)
      return if id.nil? || AutherCutover.revocations.include?(id)

      record = @application.find_user.call(id.to_s, moved: false)
      record && Person.new(id.to_s, record)
    end

    def remember_cookie
      @application.remember_cookie
    end

    def session_cookie
      _, options = @application.session_store
      options.fetch(:key, "rack.session")
    end
  end
end
