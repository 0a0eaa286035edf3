# frozen_string_literal: true

require "json"
require "securerandom"
require "sinatra/base"

require_relative "sessions"

# The club on Sinatra, as its team wrote it, and what the README of the shim tells to add.
class Club < Sinatra::Base
  SESSIONS = ClubSessions.new

  set :environment, :production
  set :logging, false
  helpers AutherCutover::Helpers

  before { revive }

  get("/healthz") { "ok" }
  get("/") { "the club" }

  get "/login" do
    return %(<a href="#{h(migrator_login_path(return_to: params[:return_to]))}">Sign in at Auther</a>) if auther_login?(cohort: params[:cohort])

    <<~HTML
      <form method="post"><input name="csrf" type="hidden" value="#{csrf_token}"><input name="email">
      <input name="password" type="password"><input name="remember_me" type="checkbox" value="1"></form>
    HTML
  end

  post "/login" do
    require_csrf
    user = sign_in(params[:email].to_s, params[:password].to_s)
    return [422, "wrong e-mail or password"] unless user

    SESSIONS.remember(response, user) if params[:remember_me] == "1"
    redirect "/", 303
  end

  post "/api/login" do
    given = JSON.parse(request.body.read)
    user = sign_in(given["email"], given["password"])
    user ? json(200, user: user.id) : json(401, error: "wrong")
  end

  post "/logout" do
    require_csrf
    AutherCutover.sign_out(env)
    SESSIONS.forget(request)
    response.delete_cookie(ClubSessions::REMEMBER, path: "/")
    redirect "/login", 303
  end

  %w[/whoami /api/whoami].each do |path|
    get(path) { json(200, user: auther_user&.id, credential: auther_credential, cart: session["cart"]) }
  end

  get "/cart" do
    session["cart"] = params[:item]
    json(200, csrf: csrf_token)
  end

  post "/notes" do
    require_csrf
    auther_user ? json(201, by: auther_user.id) : json(401, error: "sign_in")
  end

  # A door that tells its name, and that answers without a page of its own.
  post "/pair/:id" do
    env[AutherCutover::Doors::NAME] = "pair"
    SESSIONS.begin(request, Users.by_id(params[:id]))
    json(200, by: params[:id])
  end

  post "/reset/:id" do
    url = AutherCutover.reset_url(params[:id])
    json(200, consumed: true, url: url)
  end

  if AutherCutover::Helpers.method_defined?(:auther_allowed?)
    get("/permission/:permission/:type/:id") do
      json(200, allowed: auther_allowed?(params[:permission], params[:type], params[:id]))
    end
  end

  # A team's own error page must not swallow the shim's answers.
  error { [500, "something went wrong"] }

  private

  def sign_in(email, password)
    user = Users.by_email(email)
    return unless user&.active? && AutherCutover.password?(env, user.id, password) { user.password?(password) }

    SESSIONS.begin(request, user)
    user
  end

  # Makes a session of a remember-me cookie, as long as sessions are made at all.
  def revive
    return if session["user_id"] || auther_user

    id = SESSIONS.remembered_id(request)
    SESSIONS.begin(request, Users.by_id(id)) if id
  end

  def csrf_token
    session["csrf"] ||= SecureRandom.hex(16)
  end

  # A browser sends cookies by itself, but never our Authorization header.
  def require_csrf
    return if auther_credential == :header || (session["csrf"] && params[:csrf] == session["csrf"])

    halt 403, "csrf"
  end

  def json(status, **values)
    [status, { "Content-Type" => "application/json" }, JSON.generate(values)]
  end

  def h(text)
    Rack::Utils.escape_html(text)
  end
end
