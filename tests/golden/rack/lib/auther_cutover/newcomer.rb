# frozen_string_literal: true

module AutherCutover
  # Somebody who signed up at Auther and comes here for the first time. The row is made by the migration's
  # SQL function: atomic, with an unusable password, and never linked to a row that has the same address.
  module Newcomer
    CREATE = "SELECT outcome FROM migrator_new_user(?, ?, ?, ?, ?)"
    REASONS = { "email_taken" => :identity_unlinked, "column_needs_value" => :identity_unlinked,
                "tombstone" => :disabled }.freeze

    module_function

    # true when there is a linked user now. Raises Rejected.
    def create(claims)
      outcome = claims["email"].is_a?(String) ? ask(claims) : "no_email"
      AutherCutover.counters.add("auth_jit_total", result: outcome)
      return true if %w[created linked].include?(outcome)

      AutherCutover.logger.warn(JSON.generate({ event: "auther_newcomer_refused", outcome: outcome }))
      raise Rejected, REASONS.fetch(outcome, :identity_unlinked)
    end

    def ask(claims)
      values = [AutherCutover.settings.source, claims["sub"], claims["email"].downcase, claims["name"].to_s,
                claims["email_verified"] == true]
      Database.value(CREATE, *values)
    end
  end
end
