# frozen_string_literal: true

Rails.application.configure do
  config.cache_classes = true
  config.eager_load = false
  config.action_controller.allow_forgery_protection = true
  config.action_dispatch.show_exceptions = false
  config.active_support.deprecation = :stderr
end
