# frozen_string_literal: true

require "test_helper"
require "minitest/mock"

# What must hold for as long as Devise and Auther are both there. Needs one user who may sign in
# and the table migrator_identity; the keys are this test's own.
class AutherCutoverTest < ActionDispatch::IntegrationTest
  SIGNING_KEY = RbNaCl::SigningKey.generate
  KEY = AutherCutover::KeySet::Key.new("EdDSA", SIGNING_KEY.verify_key)

  setup do
    model = AutherCutover.settings.model
    @user = model.all.detect(&:active_for_authentication?) || skip("no user who may sign in")
    scope = { source: AutherCutover.settings.source, user_pk: @user.id.to_s }
    AutherCutover::Identity.where(scope).delete_all
    AutherCutover::Identity.create!(scope.merge(auther_id: "auther-id-of-the-test"))
  end

  test "a good token is its user, and leaves no trace in session and row" do
    before = @user.reload.attributes
    ask token
    assert_equal ["auther", "accepted"], decided.first(2)
    assert_nil session["warden.user.#{AutherCutover.settings.scope}.key"]
    assert_equal before, @user.reload.attributes
  end

  { "expired" => { exp: 1 }, "another audience" => { aud: "another" },
    "no end" => { exp: nil }, "no subject" => { sub: nil } }.each do |name, claims|
    test "a token is refused: #{name}" do
      ask token(**claims)
      assert_response :unauthorized
      assert_match(/\ABearer/, response.headers["WWW-Authenticate"])
    end
  end

  test "a token signed by somebody else is refused" do
    ask token(key: RbNaCl::SigningKey.generate)
    assert_response :unauthorized
  end

  test "a token whose subject is nobody's is not linked by anything else" do
    ask token(sub: @user.id.to_s)
    assert_response :conflict
  end

  test "a pinned user's token is refused" do
    AutherCutover::Identity.where(auther_id: "auther-id-of-the-test").update_all(pinned_reason: "second_factor")
    ask token
    assert_response :unauthorized
  end

  test "without keys the answer is 503, never 401" do
    AutherCutover.key_set.stub(:version, -> { raise AutherCutover::Unavailable, "down" }) do
      get "/", headers: { "Authorization" => "Bearer #{token}" }
    end
    assert_response :service_unavailable
    assert response.headers["Retry-After"]
  end

  test "a return path never leaves this site" do
    home = AutherCutover.settings.after_login
    assert_equal "/orders?page=2", AutherCutover::ReturnPath.clean("/orders?page=2")
    ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", nil].each do |path|
      assert_equal home, AutherCutover::ReturnPath.clean(path)
    end
  end

  private

  def ask(token)
    @counted = AutherCutover.counters.read.first
    AutherCutover.key_set.stub(:version, "of the test") do
      AutherCutover.key_set.stub(:find, KEY) { get "/", headers: { "Authorization" => "Bearer #{token}" } }
    end
  end

  # path and outcome of the request that was just made
  def decided
    grown = AutherCutover.counters.read.first.find do |(name, labels), count|
      name == "auth_requests_total" && count > @counted.fetch([name, labels], 0)
    end
    grown[0][1].values_at(:path, :outcome)
  end

  def token(key: SIGNING_KEY, **claims)
    settings = AutherCutover.settings
    defaults = { iss: settings.issuers.first, aud: settings.audiences.first, sub: "auther-id-of-the-test",
                 iat: (Time.now.to_f * 1000).to_i, exp: 1.hour.from_now.to_i }
    JWT.encode(defaults.merge(claims).compact, key, "EdDSA", kid: "of-the-test")
  end
end
