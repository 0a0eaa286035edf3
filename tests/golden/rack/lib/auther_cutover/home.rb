# frozen_string_literal: true

module AutherCutover
  # Where a user stands. Asked where somebody signs in, never with each request.
  module Home
    WRITTEN_BACK = "SELECT to_regclass('migrator_write_back')::text"
    UNSETTLED = "SELECT 1 FROM migrator_write_back WHERE auther_id = ? " \
                "AND (state <> 'done' OR acknowledged_at IS NULL) LIMIT 1"

    module_function

    # Password, address and account are Auther's business.
    def moved?(user)
      Identity.of_user(user)&.home == "auther"
    end

    def pinned?(user)
      !Identity.of_user(user)&.pinned_reason.to_s.empty?
    end

    # In stage legacy the legacy side is the only one there is; a pinned user gets no password at Auther in any.
    def account_at_auther?(user)
      identity = AutherCutover.stage.legacy? ? nil : Identity.of_user(user)
      return false if identity.nil? || identity.pinned_reason

      AutherCutover.stage.stage == "auther" || identity.home == "auther"
    end

    # What this user changed at Auther is not back in the legacy table yet: after a rollback the old
    # password would be asked for. After a compromise Auther is asked nothing.
    def unsettled?(user)
      return false if AutherCutover.stage.refuses_auther?

      identity = Identity.of_user(user)
      # The table is there once something was written back.
      return false unless identity&.home == "auther" && Database.value(WRITTEN_BACK)

      !Database.value(UNSETTLED, identity.auther_id).nil?
    end
  end
end
