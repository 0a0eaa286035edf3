# frozen_string_literal: true

# Answers one request during which the stage goes from dual to drain, right behind the decision. Argument: its cookies.
# Prints the body, and the cookies that the answer sets, in JSON.
require "./config/environment"

asked = 0
AutherCutover.define_singleton_method(:stage) do
  asked += 1
  at = asked == 1 ? "dual" : "drain"
  AutherCutover::StageDocument.new(stage: at, percent: 0.0, salt: "", epoch: asked, stop_accepting: false, cohorts: [])
end
env = Rack::MockRequest.env_for("http://127.0.0.1/whoami", "HTTP_COOKIE" => ARGV.fetch(0), "HTTP_ACCEPT" => "application/json")
_, headers, body = Rails.application.call(env)
puts JSON.generate(body: body.each.to_a.join, cookies: headers["Set-Cookie"].to_s)
