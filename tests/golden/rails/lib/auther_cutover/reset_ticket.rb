# frozen_string_literal: true

module AutherCutover
  # Where a moved user sets a new password, in place of the legacy side's page.
  module ResetTicket
    TIMEOUT_S = 2

    module_function

    # The address at Auther. Raises Plugin::Unreachable or Plugin::Refused.
    def url(user)
      secret = AutherCutover.settings.reset_secret
      raise Plugin::Unreachable, "no secret" unless Plugin.ready?(secret)

      body = { id: Identity.of_user(user).auther_id }
      answer = Plugin.post("reset-ticket", secret, body, timeout_s: TIMEOUT_S)
      answer["url"] || raise(Plugin::Unreachable, "no url")
    end
  end
end
