# frozen_string_literal: true

module AutherCutover
  # Devise's bypass_sign_in writes the user into the session past Warden's hooks. After a password change
  # it renews the session of whoever is there, and stays as it is; as a way in it is a door like any other.
  module BypassSignIn
    def bypass_sign_in(resource, scope: nil)
      scope ||= Devise::Mapping.find_scope!(resource)
      return super unless scope == AutherCutover.settings.scope
      # Signed in by Auther already: a session would be a second sign-in beside it.
      return if request.env[CREDENTIAL]

      held = LegacySession.new(request).holds
      Doors.enter(resource, warden, scope: scope) unless held == resource.to_key
      super
    end
  end
end
