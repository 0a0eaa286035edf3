# frozen_string_literal: true

module AutherCutover
  # Makes a session at Auther out of Devise's session or remember-me cookie, without a password: over
  # Auther and back for a nonce, a ticket from server to server, and then the ordinary code flow.
  class Exchange
    PATH = "/auth/auther/exchange"
    # Whoever comes back without success, or not at all, goes on with Devise's session for so long.
    PAUSE_S = 600
    TIMEOUT_S = 3

    class << self
      # Where to send the browser with the nonce's hash; raises LoginFailed.
      def redeem_url(attempt, nonce_hash)
        body = { id: attempt.sub, client_id: AutherCutover.settings.client_id, nonce_hash: nonce_hash.to_s,
                 code_challenge: attempt.code_challenge }
        answer = Plugin.post("exchange/ticket", AutherCutover.settings.exchange_secret, body, timeout_s: TIMEOUT_S)
        query = attempt.authorize_query.merge(ticket: answer.fetch("ticket").to_s)
        "#{Plugin.url('exchange/redeem')}?#{URI.encode_www_form(query)}"
      rescue Plugin::Refused
        raise LoginFailed.new(:ticket_refused, 403)
      rescue Plugin::Unreachable, KeyError
        raise LoginFailed.new(:auther_unreachable, 503)
      end

      def done(jar)
        Cookies.delete(jar, Cookies::EXCHANGE_PAUSE) if Cookies.read(jar, Cookies::EXCHANGE_PAUSE)
      end
    end

    def initialize(request, stage = AutherCutover.stage)
      @request = request
      @stage = stage
      @legacy = LegacySession.new(request)
    end

    # Where a navigation goes first; nil when it goes on as it is.
    def start_url
      return unless offered? && @legacy.hinted?

      identity = exchangeable
      pause
      identity ? url(identity) : nil
    end

    # The linked, active, unpinned user of this browser's legacy side.
    def exchangeable
      user = @legacy.user || @legacy.remembered_user
      identity = user && Identity.of_user(user)
      identity if identity && identity.pinned_reason.nil?
    end

    # Are legacy sessions being exchanged at this stage?
    def open?
      (@stage.drain? || (@stage.dual? && AutherCutover.settings.exchange_in_dual)) && @stage.accepts_legacy? &&
        Plugin.ready?(AutherCutover.settings.exchange_secret)
    end

    private

    def offered?
      open? && Answers.detour?(@request) &&
        ReturnPath.clean(@request.fullpath) == @request.fullpath &&
        Cookies.read(@request.cookie_jar, Cookies::EXCHANGE_PAUSE).nil?
    end

    # Set before it begins: whoever is stuck at Auther and comes back must not be sent there again.
    def pause
      Cookies.write(@request.cookie_jar, Cookies::EXCHANGE_PAUSE, "1", expires: Time.now + PAUSE_S)
    end

    def url(identity)
      attempt = LoginAttempt.start(@request.cookie_jar, @request.fullpath, purpose: "exchange", sub: identity.auther_id)
      to = URI.join(AutherCutover.settings.redirect_uri, PATH).to_s
      query = { client_id: AutherCutover.settings.client_id, to: to, state: attempt.state }
      "#{Plugin.url('exchange/start')}?#{URI.encode_www_form(query)}"
    end
  end
end
