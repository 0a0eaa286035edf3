# frozen_string_literal: true

module AutherCutover
  # Asks Auther whether a password that Devise has just accepted would sign in there too, so that a wrong
  # pepper shows before anybody depends on it. Beside the request: it delays and decides nothing. Where Auther
  # has no password for the user, or one that it cannot verify, it may be given this one: once, and kept nowhere.
  class Shadow
    # The password lives in these threads alone, for seconds at most. More than that at once are left out.
    AT_ONCE = 2
    TIMEOUT_S = 1
    WITHOUT_PASSWORD = %w[no_credential unknown_scheme].freeze
    REASONS = %w[no_credential banned unverified unknown_scheme pepper_missing not_ours].freeze

    FIND = "SELECT auther_id FROM migrator_identity WHERE source = ? AND user_pk = ? " \
           "AND home = 'legacy' AND pinned_reason IS NULL"
    RECORD = <<~SQL
      INSERT INTO migrator_shadow (source, user_pk, matched, reason) VALUES (?, ?, ?, ?)
      ON CONFLICT (source, user_pk) DO UPDATE SET matched = excluded.matched, reason = excluded.reason,
        checks = migrator_shadow.checks + 1, seen_at = now()
    SQL

    def initialize(settings)
      @settings = settings
      @lock = Mutex.new
      @running = 0
    end

    def check(user_pk, password)
      return if password.to_s.empty? || !Plugin.ready?(@settings.verify_secret)
      return if AutherCutover.stage.refuses_auther?
      return count("skipped") unless begin_one

      Thread.new do
        count(answer(user_pk, password))
      rescue StandardError # whatever fails here must not reach the sign-in
        count("error")
      ensure
        @lock.synchronize { @running -= 1 }
      end
    end

    private

    def begin_one
      @lock.synchronize { @running < AT_ONCE && (@running += 1) }
    end

    def count(result)
      AutherCutover.counters.add("auth_shadow_checks_total", result: result)
    end

    def answer(user_pk, password)
      auther_id = SideConnection.value(FIND, @settings.source, user_pk)
      return "unlinked" unless auther_id

      said = Plugin.post("verify", @settings.verify_secret, { id: auther_id, password: password }, timeout_s: TIMEOUT_S)
      matched = said.fetch("valid") == true || capture(auther_id, password, said["reason"])
      reason = !matched && REASONS.include?(said["reason"]) ? said["reason"] : ""
      SideConnection.write(RECORD, @settings.source, user_pk, matched, reason)
      matched ? "match" : "mismatch"
    end

    # true when Auther has this password from now on.
    def capture(auther_id, password, reason)
      return false unless WITHOUT_PASSWORD.include?(reason) && Plugin.ready?(@settings.capture_secret)

      body = { id: auther_id, password: password }
      outcome = Plugin.post("capture", @settings.capture_secret, body, timeout_s: TIMEOUT_S)["outcome"]
      AutherCutover.counters.add("auth_captures_total", result: outcome == "captured" ? "captured" : "left")
      outcome == "captured"
    rescue Plugin::Refused, Plugin::Unreachable
      AutherCutover.counters.add("auth_captures_total", result: "failed")
      false
    end
  end
end
