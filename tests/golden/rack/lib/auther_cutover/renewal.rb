# frozen_string_literal: true

module AutherCutover
  # An id_token that has just ended is renewed by another code flow, which asks for nothing while Auther's
  # own session lives. On the way to a page only, and for the same user only.
  module Renewal
    # Started and not come back, in a row. Then the cookie counts as absent.
    ATTEMPTS_MAX = 3
    REMEMBERED_FOR_S = 86_400

    module_function

    # Where a navigation with this cookie goes first; nil when it is not to be renewed.
    def path(request, error)
      return if error.claims.nil? || !Answers.detour?(request) || attempts(request.cookie_jar) >= ATTEMPTS_MAX

      user = Identity.resolve(error.claims, create: false).user
      return if AutherCutover.stage.legacy? || others_session?(request, user)
      # Who goes to Devise's form wants that.
      return if request.path_info == LegacyPages.sign_in

      query = URI.encode_www_form(renew: 1, return_to: ReturnPath.clean(request.fullpath))
      "#{request.script_name}/auth/auther/start?#{query}"
    rescue Rejected
      nil
    end

    def others_session?(request, user)
      legacy = AutherCutover.stage.accepts_legacy? ? LegacySession.new(request).user : nil
      !legacy.nil? && legacy != user
    end

    # Whose cookie is to be renewed, as the login begins; nil for anything but a good token that has ended.
    def begin(jar)
      value = Cookies.read(jar, Cookies::ID_TOKEN)
      claims = value && AutherSession.claims_of(value)
      return unless claims

      count_attempt(jar)
      claims["sub"]
    end

    def done(jar)
      Cookies.delete(jar, Cookies::RENEWALS) if Cookies.read(jar, Cookies::RENEWALS)
    end

    def attempts(jar)
      Integer(Cookies.read(jar, Cookies::RENEWALS) || "0", 10)
    rescue ArgumentError # somebody wrote another text
      ATTEMPTS_MAX
    end

    def count_attempt(jar)
      count = attempts(jar) + 1
      Cookies.write(jar, Cookies::RENEWALS, count.to_s, expires: Time.now + REMEMBERED_FOR_S)
    end
  end
end
