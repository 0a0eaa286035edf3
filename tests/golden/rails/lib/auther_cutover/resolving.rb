# frozen_string_literal: true

module AutherCutover
  # Who may come in with a token: the rules about an identity, wherever it was read from.
  module Resolving
    # The identity for verified claims, with a user who may sign in; created with its user if need be.
    # Raises Rejected.
    def resolve(claims, create: AutherCutover.settings.create_users)
      identity = of_auther(claims["sub"])
      identity ||= Newcomer.create(claims) && of_auther(claims["sub"]) if create
      raise Rejected, :identity_unlinked unless identity
      raise Rejected, :disabled if identity.buried
      raise Rejected, :pinned if identity.pinned_reason
      raise Rejected, :revoked if revoked?(identity, claims["iat"])
      raise Rejected, :disabled unless identity.user && identity.active?

      identity
    end

    private

    # Signed out everywhere: tokens from before that second no longer count.
    def revoked?(identity, issued_at)
      return false unless identity.auth_valid_after

      issued_at.nil? || TokenVerifier.seconds(issued_at).floor < identity.auth_valid_after.to_i
    end
  end
end
