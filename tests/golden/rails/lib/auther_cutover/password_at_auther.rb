# frozen_string_literal: true

module AutherCutover
  # A moved user's password is the one that Auther has. Devise's own strategy goes on around the check:
  # its lock after too many attempts, its answer to a wrong one.
  module PasswordAtAuther
    TIMEOUT_S = 1

    private

    def validate(resource, &block)
      return super unless resource && block && authentication_type == :params_auth && at_auther?(resource)

      super(resource) { right_at_auther?(resource) }
    end

    def at_auther?(resource)
      stage = AutherCutover.stage
      return false unless scope == AutherCutover.settings.scope && stage.accepts_legacy?

      stage.legacy? ? Home.unsettled?(resource) : Home.moved?(resource)
    end

    # A Warden answer, thrown from inside a strategy, is the answer: 503, the attempt not counted.
    def right_at_auther?(resource)
      secret = AutherCutover.settings.verify_secret
      throw :warden, Answers.unavailable(Plugin::RETRY_AFTER_S) unless Plugin.ready?(secret)

      body = { id: Identity.of_user(resource).auther_id, password: password }
      Plugin.post("verify", secret, body, timeout_s: TIMEOUT_S)["valid"] == true
    rescue Plugin::Unreachable, Plugin::Refused
      throw :warden, Answers.unavailable(Plugin::RETRY_AFTER_S)
    end
  end
end
