# frozen_string_literal: true

class PagesController < ApplicationController
  before_action :authenticate_user!, only: %i[members note]

  def home; end

  def members; end

  def broken
    raise params[:missing] ? ActiveRecord::RecordNotFound : "broken for #{current_user&.id}"
  end

  def up
    head :no_content
  end

  # A page that a CDN may keep: it touches no session.
  def feed
    render plain: "news"
  end

  # A way in past Warden's hooks: whoever has scanned a code on another screen is signed in there.
  def pair
    bypass_sign_in User.find(params[:id])
    render json: { by: current_user&.id }
  end

  # Who the application believes is there, and whether its own session still has what it put there.
  def whoami
    render json: { user: current_user&.id, cart: session[:cart] }
  end

  def cart
    session[:cart] = params[:item]
    render json: { csrf: form_authenticity_token }
  end

  def note
    render json: { note: params[:text], by: current_user.id }, status: :created
  end
end
