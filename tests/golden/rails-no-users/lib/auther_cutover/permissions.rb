# frozen_string_literal: true

module AutherCutover
  # Full delegation: Auther says what a user may do.
  class Permissions
    TIMEOUT_S = 1

    def initialize(claims)
      @claims = claims || {}
    end

    # What the token says: :allowed, :denied or :unknown. A missing claim is unknown, an empty one denies;
    # so does a relation that is granted under conditions, which only Auther can look at.
    def in_token(permission, entity_type, entity_id)
      granted = @claims["permissions"]
      keys = [entity_type.to_s, "#{entity_type}:#{entity_id}"]
      return :unknown if !granted.is_a?(Hash) || names?(@claims["abac_required"], keys, permission)

      names?(granted, keys, permission) ? :allowed : :denied
    end

    # The same, with Auther asked where the token does not know. No answer is no permission.
    def allowed?(permission, entity_type, entity_id)
      said = in_token(permission, entity_type, entity_id)
      said == :unknown ? asked(permission, entity_type, entity_id) : said == :allowed
    end

    private

    def names?(claim, keys, permission)
      claim.is_a?(Hash) && keys.any? { |key| Array(claim[key]).include?(permission.to_s) }
    end

    def asked(permission, entity_type, entity_id)
      sub, key = @claims["sub"], AutherCutover.settings.api_key
      return false unless sub && key

      body = { entityType: entity_type, entityId: entity_id.to_s, permission: permission,
               subjectType: "user", subjectId: sub }
      url = URI(AutherCutover.settings.check_permission_url)
      answer = Plugin.ask(url, { "x-api-key" => key }, body, timeout_s: TIMEOUT_S)
      # An Auther that knows nothing of subjects answers for the key, which may do more than the user.
      answer["allowed"] == true && answer.values_at("subjectType", "subjectId") == ["user", sub]
    rescue Plugin::Refused, Plugin::Unreachable
      false
    end
  end

  # For controllers and views.
  module PermissionHelper
    def auther_allowed?(permission, entity_type, entity_id)
      Permissions.new(request.env[CLAIMS]).allowed?(permission, entity_type, entity_id)
    end
  end
end
