# frozen_string_literal: true

module AutherCutover
  # A moved user's password is the one that Auther has.
  module AutherPassword
    TIMEOUT_S = 1

    module_function

    # Is it Auther that knows this user's password, and not the users table?
    def of?(user)
      stage = AutherCutover.stage
      return false unless stage.accepts_legacy?

      stage.legacy? ? Home.unsettled?(user) : Home.moved?(user)
    end

    # Raises Unavailable where nobody can say.
    def right?(user, password)
      secret = AutherCutover.settings.verify_secret
      raise Unavailable, "no secret" unless Plugin.ready?(secret)

      body = { id: Identity.of_user(user).auther_id, password: password }
      Plugin.post("verify", secret, body, timeout_s: TIMEOUT_S)["valid"] == true
    rescue Plugin::Unreachable, Plugin::Refused
      raise Unavailable, "password not checked"
    end
  end
end
