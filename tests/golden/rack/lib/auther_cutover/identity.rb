# frozen_string_literal: true

module AutherCutover
  # A user of the application. record: what its `find_user` gave.
  Person = Struct.new(:id, :record) do
    def ==(other)
      other.is_a?(Person) && other.id == id
    end
  end

  # Links an Auther user to a row of the users table: the only way from a token to a user.
  class Identity
    # buried: deleted at Auther, and refused until the last token that names the user has ended.
    FIND = <<~SQL
      SELECT auther_id, user_pk, home, pinned_reason, floor(extract(epoch FROM auth_valid_after))::bigint AS auth_valid_after,
        nullif(EXISTS (SELECT FROM migrator_tombstone AS t
          WHERE t.auther_id = migrator_identity.auther_id AND t.until > now()), false) AS buried
      FROM migrator_identity WHERE source = ?
    SQL
    MOVE_HOME = "UPDATE migrator_identity SET home = 'auther', last_auther_at = now() WHERE auther_id = ? AND source = ?"
    SEEN = "UPDATE migrator_identity SET last_auther_at = now() WHERE auther_id = ? AND source = ?"

    extend Resolving

    class << self
      def of_auther(auther_id)
        find("auther_id = ?", auther_id)
      end

      def of_user(user)
        find("user_pk = ?", user.id.to_s)
      end

      private

      def find(condition, value)
        row = Database.row("#{FIND} AND #{condition}", AutherCutover.settings.source, value)
        row && new(**row.transform_keys(&:to_sym))
      end
    end

    attr_reader :auther_id, :user_pk, :home, :pinned_reason, :auth_valid_after, :buried

    def initialize(auther_id:, user_pk:, home:, pinned_reason:, auth_valid_after:, buried:)
      @auther_id = auther_id
      @user_pk = user_pk
      @home = home
      @pinned_reason = pinned_reason
      @auth_valid_after = auth_valid_after
      @buried = buried
    end

    # The application says who may sign in.
    def user
      return @user if defined?(@user)

      record = AutherCutover.application.find_user.call(user_pk, moved: home == "auther")
      @user = record && Person.new(user_pk, record)
    end

    def active?
      !user.nil?
    end

    def move_home
      Database.write(MOVE_HOME, auther_id, AutherCutover.settings.source)
    end

    def seen_at_auther
      Database.write(SEEN, auther_id, AutherCutover.settings.source)
    end
  end
end
