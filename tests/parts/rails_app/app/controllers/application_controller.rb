# frozen_string_literal: true

class ApplicationController < ActionController::Base
  protect_from_forgery with: :exception
  # The mobile application signs in by JSON.
  respond_to :html, :json
end
