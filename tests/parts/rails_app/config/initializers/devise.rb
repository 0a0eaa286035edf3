# frozen_string_literal: true

Devise.setup do |config|
  require "devise/orm/active_record"
  config.mailer_sender = "club@example.org"
  config.secret_key = ENV.fetch("SECRET_KEY_BASE", "0" * 64)
  config.pepper = ENV["DEVISE_PEPPER"]
  config.stretches = 4
  config.case_insensitive_keys = [:email]
  config.strip_whitespace_keys = [:email]
  config.skip_session_storage = [:http_auth]
  config.http_authenticatable = true
  config.lock_strategy = :failed_attempts
  config.unlock_strategy = :time
  config.maximum_attempts = 5
  config.unlock_in = 1.hour
  config.timeout_in = Integer(ENV.fetch("SESSION_TIMEOUT_H", "12")).hours
  config.sign_out_via = :delete
end
