# frozen_string_literal: true

module AutherCutover
  # Where a user stands. Asked where somebody signs in, never with each request.
  module Home
    UNSETTLED = "SELECT 1 FROM migrator_write_back WHERE auther_id = ? " \
                "AND (state <> 'done' OR acknowledged_at IS NULL) LIMIT 1"

    module_function

    # Password, address and account are Auther's business.
    def moved?(user)
      Identity.of_user(user)&.home == "auther"
    end

    def pinned?(user)
      Identity.of_user(user)&.pinned_reason.present?
    end

    # What this user changed at Auther is not back in the legacy table yet: after a rollback the old
    # password would be asked for.
    def unsettled?(user)
      identity = Identity.of_user(user)
      connection = Identity.connection
      # The table is there once something was written back.
      return false unless identity&.home == "auther" && connection.data_source_exists?("migrator_write_back")

      connection.select_value(Identity.sanitize_sql_array([UNSETTLED, identity.auther_id])).present?
    end
  end
end
