# frozen_string_literal: true

require "record_session_store"

if ENV["SESSION_STORE"] == "record"
  Rails.application.config.session_store RecordSessionStore, key: "_club_session", httponly: true
else
  Rails.application.config.session_store :cookie_store, key: "_club_session"
end
