# frozen_string_literal: true

module AutherCutover
  # Where a login leads: by stage, and in `dual` by the visitor's cohort and this browser's bucket.
  class LoginChoice
    BUCKETS = 100_000
    KEPT_S = 400 * 86_400

    # cohort: a group of the application's own making (a tenant, the staff) that the switch may move first.
    def initialize(request, stage = AutherCutover.stage, cohort: nil)
      @request = request
      @stage = stage
      @cohort = cohort.to_s
    end

    def auther?
      case @stage.stage
      when "legacy" then false
      when "dual" then @stage.cohorts.include?(@cohort) || bucket < @stage.percent * 1000
      else true
      end
    end

    def login_path(return_to: nil)
      return legacy_login_path unless auther?

      query = return_to ? "?#{URI.encode_www_form(return_to: return_to)}" : ""
      "#{@request.script_name}/auth/auther/start#{query}"
    end

    def legacy_login_path
      LegacyPages.sign_in
    end

    private

    # A browser stays on its side as the percentage grows.
    def bucket
      Digest::SHA256.digest(@stage.salt + key)[0, 8].unpack1("Q>") % BUCKETS
    end

    def key
      jar = @request.cookie_jar
      Cookies.read(jar, Cookies::BUCKET) || SecureRandom.urlsafe_base64(16).tap do |fresh|
        Cookies.write(jar, Cookies::BUCKET, fresh, expires: Time.now + KEPT_S)
      end
    end
  end
end
