# frozen_string_literal: true

require "openssl"
require "rack"
require_relative "users"

SESSION_STORE = [Rack::Session::Cookie, { key: "club.session", secret: ENV.fetch("SESSION_SECRET"), same_site: :lax }].freeze

# What the README of the shim asks for: how this application keeps its users in sessions.
class ClubSessions
  REMEMBER = "remember_me"
  REMEMBER_S = 14 * 86_400

  def held(request)
    request.session["user_id"]
  end

  def user_id(request)
    user = Users.by_id(held(request))
    user.id if user && user.salt == request.session["salt"]
  end

  def remembered_id(request)
    id, until_s, mac = request.cookies[REMEMBER].to_s.split(".")
    user = id && Users.by_id(id)
    return unless user&.active? && mac && until_s.to_i > Time.now.to_i

    id if Rack::Utils.secure_compare(mac, mac_of(user, until_s))
  end

  def forget(request)
    request.session.delete("user_id")
    request.session.delete("salt")
  end

  def fixture(request)
    request.session["user_id"] = "0"
  end

  def begin(request, user)
    request.session["user_id"] = user.id
    request.session["salt"] = user.salt
  end

  def remember(response, user)
    until_s = (Time.now.to_i + REMEMBER_S).to_s
    value = [user.id, until_s, mac_of(user, until_s)].join(".")
    response.set_cookie(REMEMBER, value: value, path: "/", httponly: true, same_site: :lax, max_age: REMEMBER_S)
  end

  private

  def mac_of(user, until_s)
    OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("SESSION_SECRET"), "#{user.id}.#{until_s}.#{user.salt}")
  end
end
