# frozen_string_literal: true

require_relative "boot"
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "action_mailer/railtie"
require "rails/test_unit/railtie"
require "devise"

module ClubHouse
  # A small members' site as many grew: Rails 6.1, Devise, PostgreSQL.
  class Application < Rails::Application
    config.load_defaults 6.1
    config.secret_key_base = ENV.fetch("SECRET_KEY_BASE", "0" * 64)
    config.log_level = :info
    config.action_mailer.delivery_method = :test
    config.action_mailer.default_url_options = { host: "127.0.0.1" }
    config.hosts.clear
    # As a new application has it in an initializer.
    config.filter_parameters += [:passw, :secret, :token, :_key, :crypt, :salt, :certificate, :otp, :ssn]
  end
end
