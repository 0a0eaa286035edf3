# frozen_string_literal: true

require "base64"
require "digest"
require "fileutils"
require "json"
require "net/http"
require "openssl"
require "securerandom"
require "set"
require "socket"
require "time"
require "uri"

require "jwt"
require "rack/utils"
require "rbnacl"

# Signing in through Auther: who a request belongs to, and where a login leads.
module AutherCutover
  # Not loaded in an initializer: Active Record would start before its own configuration is read.
  autoload :Identity, "auther_cutover/identity"
  autoload :SideConnection, "auther_cutover/side_connection"

  # Where the middleware leaves whom it found, by which credential (:header, :cookie or nothing), and its claims.
  PRINCIPAL = "auther_cutover.principal"
  CREDENTIAL = "auther_cutover.credential"
  CLAIMS = "auther_cutover.claims"

  class << self
    attr_reader :settings

    def configure(**values)
      @settings = Settings.new(**values).validate!
      @counters = Counters.new(@settings.counter_file)
      @key_set = KeySet.new(@settings.jwks_url, cooldown_s: @settings.jwks_cooldown_s)
      @token_verifier = TokenVerifier.new(@settings, @key_set)
      @beacon = Beacon.new(@settings)
    end

    attr_reader :counters, :key_set, :token_verifier, :beacon
  end
end

require "auther_cutover/settings"
require "auther_cutover/errors"
require "auther_cutover/client"
require "auther_cutover/counters"
require "auther_cutover/token"
require "auther_cutover/key_set"
require "auther_cutover/verified_tokens"
require "auther_cutover/token_verifier"
require "auther_cutover/sealed"
require "auther_cutover/cookies"
require "auther_cutover/credential"
require "auther_cutover/plugin"
require "auther_cutover/resolving"
require "auther_cutover/stored_token"
require "auther_cutover/auther_session"
require "auther_cutover/newcomer"
require "auther_cutover/answers"
require "auther_cutover/renewal"
require "auther_cutover/decision"
require "auther_cutover/beacon"
require "auther_cutover/metrics"
require "auther_cutover/login_attempt"
require "auther_cutover/login_flow"
require "auther_cutover/framework"
require "auther_cutover/database"
require "auther_cutover/foreign"
require "auther_cutover/csrf_protection"
require "auther_cutover/authentication"
require "auther_cutover/routes"
require "auther_cutover/middleware"
