# frozen_string_literal: true

module AutherCutover
  class Misconfigured < StandardError; end

  # What config/initializers/auther_cutover.rb says, and what the environment adds.
  Settings = Struct.new(
    :issuers, :audiences, :algorithms, :jwks_url, :client_id, :authorize_url, :token_url,
    :redirect_uri, :after_login, :build, :exempt_paths, :plugin_url, :foreign_paths,
    :delegate_permissions, :check_permission_url, :source, :create_users,
    :namespace, :stage_public_key, :baked_stage, :baked_percent, :exchange_in_dual, :json_doors_until,
    keyword_init: true
  ) do
    def validate!
      missing = members.select { |name| Array(self[name]).any? { |v| v.nil? || v.to_s.start_with?("CHANGE_ME") } }
      raise Misconfigured, "auther_cutover: still to be set: #{missing.join(', ')}" if missing.any?

      %i[jwks_url authorize_url token_url redirect_uri].each { |name| require_safe_url(name) }
      require_safe_url(:plugin_url) unless plugin_url.to_s.empty?
      require_safe_url(:check_permission_url) if delegate_permissions
      raise Misconfigured, "auther_cutover: issuers and audiences must not be empty" if issuers.empty? || audiences.empty?

      @scope = source.underscore.to_sym
      @session_key = "warden.user.#{@scope}.key"
      @for_this_request = { scope: @scope, store: false, run_callbacks: false }.freeze
      freeze
    end

    # Below these, bearers of others are for the application's own authenticator. /apiary is not below /api.
    def foreign_path?(path)
      foreign_paths.any? { |prefix| path == prefix || path.start_with?("#{prefix.chomp('/')}/") }
    end

    # The Devise scope: User is :user, AdminUser is :admin_user. The key of its user in a session. How Warden is told
    # of a user without a session or a hook. All are asked for with each request, so made once.
    attr_reader :scope, :session_key, :for_this_request

    def model
      source.constantize
    end

    def secure?
      redirect_uri.match?(/\Ahttps:/i)
    end

    def callback_path
      URI(redirect_uri).path
    end

    # __Host- keeps sub-domains from planting the cookie; browsers take it over https only.
    def cookie_name(name)
      secure? ? "__Host-#{name}" : name
    end

    def stage_file
      ENV["MIGRATOR_STAGE_FILE"]
    end

    def stage_cache
      ENV["MIGRATOR_STAGE_CACHE"] || File.join(AutherCutover.root, "tmp", "auther_cutover", "stage.json")
    end

    def counter_file
      ENV["MIGRATOR_COUNTER_FILE"] || File.join(AutherCutover.root, "tmp", "auther_cutover", "counters-#{instance}.pstore")
    end

    def instance
      ENV["MIGRATOR_INSTANCE"] || Socket.gethostname
    end

    def control_secret
      given("MIGRATOR_CONTROL_SECRET")
    end

    def verify_secret
      given("MIGRATOR_VERIFY_SECRET")
    end

    def capture_secret
      given("MIGRATOR_CAPTURE_SECRET")
    end

    def exchange_secret
      given("MIGRATOR_EXCHANGE_SECRET")
    end

    def reset_secret
      given("MIGRATOR_RESET_SECRET")
    end

    def metrics_token
      given("MIGRATOR_METRICS_TOKEN")
    end

    def logout_secret
      given("MIGRATOR_LOGOUT_SECRET")
    end

    # Between fetches of the keys that unknown key ids may cause.
    def jwks_cooldown_s
      Integer(ENV.fetch("MIGRATOR_JWKS_COOLDOWN_S", "30"), 10).clamp(1, 30)
    end

    def client_secret
      given("AUTHER_CLIENT_SECRET")
    end

    private

    def given(name)
      value = ENV[name]
      value unless value.to_s.empty?
    end

    def require_safe_url(name)
      url = URI(self[name])
      return if url.scheme == "https"
      return if url.scheme == "http" && ["127.0.0.1", "::1", "localhost"].include?(url.hostname)

      raise Misconfigured, "auther_cutover: #{name} must be https (http only on loopback)"
    rescue URI::InvalidURIError
      raise Misconfigured, "auther_cutover: #{name} is not a URL"
    end
  end
end
