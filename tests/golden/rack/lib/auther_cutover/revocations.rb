# frozen_string_literal: true

module AutherCutover
  # The moved users who were signed out everywhere at Auther: their Devise sessions count no more. Known
  # to each process, so that no request has to ask for it.
  class Revocations
    FIND = "SELECT user_pk FROM migrator_identity WHERE source = ? AND home = 'auther' AND auth_valid_after IS NOT NULL"

    def initialize(settings)
      @source = settings.source
    end

    def include?(user_id)
      refresh if @user_pks.nil?
      @user_pks.include?(user_id.to_s)
    end

    # Called by the beacon.
    def refresh
      @user_pks = Set.new(SideConnection.values(FIND, @source))
    end
  end
end
