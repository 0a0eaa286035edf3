# frozen_string_literal: true

module AutherCutover
  # Links an Auther user to a row of the users' model: the only way from a token to a user.
  class Identity < ActiveRecord::Base
    self.table_name = "migrator_identity"
    # The table's key is (source, user_pk), which Active Record 6.1 cannot hold; this is unique too.
    self.primary_key = "auther_id"

    # Deleted at Auther: refused until the last token that names the user has ended.
    BURIED = "EXISTS (SELECT FROM migrator_tombstone AS t WHERE t.auther_id = migrator_identity.auther_id " \
             "AND t.until > now()) AS buried"

    extend Resolving

    # Past the query cache, which would still say that nobody is there when the row was just made.
    def self.of_auther(auther_id)
      found = select(arel_table[Arel.star], BURIED)
      uncached { found.find_by(source: AutherCutover.settings.source, auther_id: auther_id) }
    end

    def self.of_user(user)
      find_by(source: AutherCutover.settings.source, user_pk: user.id.to_s)
    end

    # find_by(id: "2abc") would cast to 2, another user.
    def user
      return @user if defined?(@user)

      model = AutherCutover.settings.model
      key = model.primary_key
      strict = model.type_for_attribute(key).cast(user_pk).to_s == user_pk
      @user = strict ? model.find_by(key => user_pk) : nil
    end

    # Asked before Warden's hooks: Devise's own would sign out whoever else is in this request.
    def active?
      user.active_for_authentication? || (home == "auther" && only_locked_by_attempts?)
    end

    def move_home
      self.class.where(auther_id: auther_id, source: source)
          .update_all(["home = 'auther', last_auther_at = now()"])
    end

    def seen_at_auther
      self.class.where(auther_id: auther_id, source: source).update_all("last_auther_at = now()")
    end

    private

    # Somebody hammering the old password form must not lock out a user who left it.
    def only_locked_by_attempts?
      return false unless user.respond_to?(:access_locked?) && user.access_locked?
      return false unless user.failed_attempts >= user.class.maximum_attempts

      unlocked = user.class.find(user.id)
      unlocked.locked_at = nil
      unlocked.active_for_authentication?
    end
  end
end
