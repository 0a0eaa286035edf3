# frozen_string_literal: true

require "test_helper"
require "minitest/mock"

# What must hold for as long as Auther signs people in. The keys are this test's own.
class AutherCutoverTest < ActionDispatch::IntegrationTest
  SIGNING_KEY = RbNaCl::SigningKey.generate
  KEY = AutherCutover::KeySet::Key.new("EdDSA", SIGNING_KEY.verify_key)
  SUB = "auther-id-of-the-test"

  setup do
    user = AutherCutover.settings.model.first || skip("no user")
    scope = { source: AutherCutover.settings.source, user_pk: user.id.to_s }
    AutherCutover::Identity.where(scope).delete_all
    AutherCutover::Identity.create!(scope.merge(auther_id: SUB))
  end

  test "a good token is accepted" do
    ask token
    assert_equal %w[auther accepted], decided
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
    ask token(sub: AutherCutover.settings.model.first.id.to_s)
    assert_response :conflict
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
    defaults = { iss: settings.issuers.first, aud: settings.audiences.first, sub: SUB,
                 iat: (Time.now.to_f * 1000).to_i, exp: 1.hour.from_now.to_i }
    JWT.encode(defaults.merge(claims).compact, key, "EdDSA", kid: "of-the-test")
  end
end
