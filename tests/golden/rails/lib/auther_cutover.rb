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

# Signing in through Auther and Devise, side by side: who a request belongs to, and where a login leads.
module AutherCutover
  # Not loaded in an initializer: Active Record would start before its own configuration is read.
  autoload :Identity, "auther_cutover/identity"
  autoload :SideConnection, "auther_cutover/side_connection"

  # Where the middleware leaves whom it found, by which credential (:header, :cookie or nothing), and its claims.
  PRINCIPAL = "auther_cutover.principal"
  CREDENTIAL = "auther_cutover.credential"
  CLAIMS = "auther_cutover.claims"
  # The stage that this request was judged by.
  STAGE = "auther_cutover.stage"

  class << self
    attr_reader :settings

    def configure(**values)
      @settings = Settings.new(**values).validate!
      @counters = Counters.new(@settings.counter_file)
      @key_set = KeySet.new(@settings.jwks_url, cooldown_s: @settings.jwks_cooldown_s)
      @token_verifier = TokenVerifier.new(@settings, @key_set)
      @beacon = Beacon.new(@settings)
      @stage = StageReader.new(@settings)
      @control = Control.new(@settings.control_secret)
      @shadow = Shadow.new(@settings)
      @revocations = Revocations.new(@settings)
      @detection_control = DetectionControl.new
    end

    attr_reader :counters, :key_set, :token_verifier, :beacon, :control, :shadow, :revocations,
                :detection_control

    def stage
      @stage.current
    end
  end
end

require "auther_cutover/settings"
require "auther_cutover/errors"
require "auther_cutover/stage_reader"
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
require "auther_cutover/revocations"
require "auther_cutover/answers"
require "auther_cutover/renewal"
require "auther_cutover/exchange"
require "auther_cutover/decision"
require "auther_cutover/dual_decision"
require "auther_cutover/beacon"
require "auther_cutover/control"
require "auther_cutover/shadow"
require "auther_cutover/metrics"
require "auther_cutover/login_choice"
require "auther_cutover/login_attempt"
require "auther_cutover/login_flow"
require "auther_cutover/home"
require "auther_cutover/auther_password"
require "auther_cutover/reset_ticket"
require "auther_cutover/door_rules"
require "auther_cutover/framework"
require "auther_cutover/database"
require "auther_cutover/detector"
require "auther_cutover/legacy_session"
require "auther_cutover/legacy_pages"
require "auther_cutover/foreign"
require "auther_cutover/login_helper"
require "auther_cutover/password_at_auther"
require "auther_cutover/doors"
require "auther_cutover/bypass_sign_in"
require "auther_cutover/account_pages"
require "auther_cutover/csrf_protection"
require "auther_cutover/routes"
require "auther_cutover/middleware"
