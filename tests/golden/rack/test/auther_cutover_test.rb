# frozen_string_literal: true

ENV["RACK_ENV"] = "test"
ENV["MIGRATOR_COOKIE_SECRET"] ||= "a-secret-of-this-test-with-32-bytes"
$LOAD_PATH.unshift(File.expand_path("../lib", __dir__))
require "minitest/autorun"
require "minitest/mock"
require "rack"
require "tmpdir"

COUNTERS = Dir.mktmpdir
Minitest.after_run { FileUtils.remove_entry(COUNTERS) }
ENV["MIGRATOR_COUNTER_FILE"] = File.join(COUNTERS, "counters.pstore")
require_relative "../config/auther_cutover"

# What must hold for as long as two sides sign people in. The keys, the users and the application are this test's own.
class AutherCutoverTest < Minitest::Test
  SIGNING_KEY = RbNaCl::SigningKey.generate
  KEY = AutherCutover::KeySet::Key.new("EdDSA", SIGNING_KEY.verify_key)
  ROW = { "auther_id" => "alice", "user_pk" => "1", "home" => "legacy", "pinned_reason" => nil,
          "auth_valid_after" => nil, "buried" => nil }.freeze
  ROWS = { "alice" => ROW, "pinned" => ROW.merge("user_pk" => "3", "pinned_reason" => "second_factor"),
           "revoked" => ROW.merge("auth_valid_after" => "99999999999") }.freeze
  User = Struct.new(:id)

  # The session's user is its key "user".
  class Sessions
    def held(request)
      request.session["user"]
    end
    alias user_id held

    def forget(request)
      request.session.delete("user")
    end

    def fixture(request)
      request.session["user"] = "0"
    end
  end
  SESSIONS = [Rack::Session::Cookie, { key: "of-the-test", secret: "s" * 64 }].freeze

  def setup
    AutherCutover.logger = Logger.new(nil)
    AutherCutover.integrate(
      database: "", find_user: ->(id, moved:) { User.new(id) },
      sessions: Sessions.new, session_store: SESSIONS, sign_in_path: "/login", sign_out_path: "/logout",
      doors: { "/login" => "form" }
    )
    middleware = AutherCutover::Middleware.new(method(:application))
    @app = Rack::MockRequest.new(Rack::Session::Cookie.new(middleware, SESSIONS[1]))
  end

  def test_a_good_token_is_its_user_and_leaves_no_cookie
    answer = ask(token)
    assert_equal [200, "1"], [answer.status, answer.body]
    assert_nil answer["Set-Cookie"]
  end

  { "expired" => { exp: 1 }, "another audience" => { aud: "another" }, "no end" => { exp: nil },
    "no subject" => { sub: nil }, "another issuer" => { iss: "https://evil.example" } }.each do |name, claims|
    define_method("test_a_token_is_refused_with_#{name.tr(' ', '_')}") do
      answer = ask(token(**claims))
      assert_equal 401, answer.status
      assert_match(/\ABearer/, answer["WWW-Authenticate"])
    end
  end

  def test_a_token_signed_by_somebody_else_is_refused
    assert_equal 401, ask(token(key: RbNaCl::SigningKey.generate)).status
  end

  def test_a_bearer_of_somebody_else_is_refused
    assert_equal 401, ask("personal-token").status
  end

  def test_a_token_whose_subject_is_nobodys_is_not_linked_by_anything_else
    assert_equal 409, ask(token(sub: "1")).status
  end

  def test_pinned_and_signed_out_users_are_refused
    %w[pinned revoked].each { |sub| assert_equal 401, ask(token(sub: sub)).status }
  end

  def test_without_keys_the_answer_is_503_and_never_401
    answer = AutherCutover.key_set.stub(:version, -> { raise AutherCutover::Unavailable, "down" }) do
      get("/", "HTTP_AUTHORIZATION" => "Bearer #{token}")
    end
    assert_equal 503, answer.status
    assert answer["Retry-After"]
  end

  def test_a_return_path_never_leaves_this_site
    home = AutherCutover.settings.after_login
    assert_equal "/orders?page=2", AutherCutover::ReturnPath.clean("/orders?page=2")
    ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", nil].each do |path|
      assert_equal home, AutherCutover::ReturnPath.clean(path)
    end
  end

  def test_a_session_counts_beside_no_token_and_beside_its_own_users
    cookie = sign_in("1")
    assert_equal "1", get("/", "HTTP_COOKIE" => cookie).body
    assert_equal "1", ask(token, "HTTP_COOKIE" => cookie).body
  end

  def test_two_people_are_a_conflict
    answer = ask(token, "HTTP_COOKIE" => sign_in("2"))
    assert_equal [401, '{"error":"auth_conflict"}'], [answer.status, answer.body]
  end

  def test_a_bad_token_never_falls_through_to_the_session
    assert_equal 401, ask(token(exp: 1), "HTTP_COOKIE" => sign_in("1")).status
  end

  def test_a_session_that_gains_a_user_in_drain_is_closed_again
    answer = post_login("1", stage: "drain")
    assert_equal [303, "/auth/auther/start?return_to=%2F"], [answer.status, answer["Location"]]
    assert_equal "nobody", get("/", "HTTP_COOKIE" => cookie_of(answer)).body
    assert_equal 403, post_login("1", stage: "drain", accept: "application/json").status
  end

  def test_the_detector_sees_a_session_that_is_sealed_by_the_store
    assert AutherCutover::DetectionControl.new.sees_fixture?
  end

  private

  # Says who is there.
  def application(env)
    env["rack.session"]["user"] = Rack::Request.new(env).params["id"] if env["PATH_INFO"] == "/login"
    user = AutherCutover.user(env)
    [200, { "Content-Type" => "text/plain" }, [user ? user.id : "nobody"]]
  end

  def ask(token, headers = {})
    AutherCutover.key_set.stub(:version, "of the test") do
      AutherCutover.key_set.stub(:find, KEY) { get("/", headers.merge("HTTP_AUTHORIZATION" => "Bearer #{token}")) }
    end
  end

  def sign_in(id)
    cookie_of(post_login(id))
  end

  def post_login(id, stage: "dual", accept: "text/html")
    headers = { "HTTP_ACCEPT" => accept, params: { "id" => id } }
    surrounded(stage) { @app.post("/login", headers) }
  end

  def cookie_of(answer)
    answer["Set-Cookie"][/\A[^;]+/]
  end

  def get(path, headers)
    surrounded { @app.get(path, headers) }
  end

  # A stage, and the database as far as it is asked.
  def surrounded(name = "dual", &block)
    stage = AutherCutover::StageDocument.new(stage: name, percent: 0.0, salt: "", epoch: 1, cohorts: [], source: "live")
    AutherCutover.stub(:stage, stage) { with_rows(&block) }
  end

  def with_rows(&block)
    AutherCutover::SideConnection.stub(:values, []) { AutherCutover::Database.stub(:row, method(:row), &block) }
  end

  def row(statement, _source, value)
    statement.include?("user_pk = ?") ? ROWS.values.find { |row| row["user_pk"] == value } : ROWS[value]
  end

  def token(key: SIGNING_KEY, **claims)
    settings = AutherCutover.settings
    defaults = { iss: settings.issuers.first, aud: settings.audiences.first, sub: "alice",
                 iat: (Time.now.to_f * 1000).to_i, exp: Time.now.to_i + 3600 }
    JWT.encode(defaults.merge(claims).compact, key, "EdDSA", kid: "of-the-test")
  end
end
