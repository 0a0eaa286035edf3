# frozen_string_literal: true

module AutherCutover
  # Devise's own strategy goes on around the check of a moved user's password: its lock after too many
  # attempts, its answer to a wrong one.
  module PasswordAtAuther
    private

    def validate(resource, &block)
      return super unless resource && block && authentication_type == :params_auth && at_auther?(resource)

      super(resource) { right_at_auther?(resource) }
    end

    def at_auther?(resource)
      scope == AutherCutover.settings.scope && AutherPassword.of?(resource)
    end

    # A Warden answer, thrown from inside a strategy, is the answer: 503, the attempt not counted.
    def right_at_auther?(resource)
      AutherPassword.right?(resource, password)
    rescue Unavailable => error
      throw :warden, Answers.unavailable(error.retry_after_s)
    end
  end
end
