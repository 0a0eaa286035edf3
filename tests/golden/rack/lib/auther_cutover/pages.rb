# frozen_string_literal: true

module AutherCutover
  # The pages of this code itself: the browser's way to Auther and back.
  class Pages
    include LoginFlow

    CONFLICT = "auther_conflict"
    CONFLICT_S = 3600

    # The step that a request is for, nil for the application's own pages.
    def self.step(request)
      found = steps[request.env["PATH_INFO"]]
      found && found[request.request_method]
    end

    def self.steps
      @steps ||= {
        "/auth/auther/start" => { "GET" => :start },
        AutherCutover.settings.callback_path => { "GET" => :callback },
        Exchange::PATH => { "GET" => :exchange },
        "/auth/conflict" => { "GET" => :conflict, "POST" => :clear },
        "/auth/auther/logout" => { "POST" => :logout }
      }.freeze
    end

    attr_reader :request

    def initialize(request)
      @request = request
    end

    def call(step)
      return Answers.json(403, "csrf") if request.post? && !same_origin?

      public_send(step)
    rescue LoginFailed, Rejected, Unavailable => error
      failed(error)
    end

    # Two people are signed in in this browser. The page names neither.
    def conflict
      token = SecureRandom.urlsafe_base64(32)
      # Strict: a POST that another site starts arrives without this cookie.
      attributes = Cookies.attributes.merge(value: token, expires: Time.now + CONFLICT_S, same_site: :strict)
      cookies[AutherCutover.settings.cookie_name(CONFLICT)] = attributes
      page(200, "Two people are signed in in this browser", <<~HTML)
        <p>To protect both, neither sign-in is used. Sign out of both, then sign in again.</p>
        <form method="post" action="#{Rack::Utils.escape_html(request.script_name)}/auth/conflict">
          <input type="hidden" name="csrf" value="#{token}"><button>Sign out of both</button>
        </form>
      HTML
    end

    def clear
      token = Cookies.read(cookies, CONFLICT).to_s
      sent = params[:csrf]
      genuine = !token.empty? && sent.is_a?(String) && Rack::Utils.secure_compare(token, sent)
      return Answers.json(403, "csrf") if !genuine || Cookies.doubled?(request, CONFLICT)

      Cookies.delete(cookies, CONFLICT)
      super
    end

    private

    # By name as a symbol, as controllers have them.
    def params
      @params ||= request.params.transform_keys(&:to_sym)
    rescue Rack::QueryParser::InvalidParameterError, Rack::QueryParser::ParameterTypeError, RangeError, EOFError
      @params = {}
    end

    def cookies
      request.cookie_jar
    end

    # Browsers that say where a request comes from are believed; to the conflict page, the others bring its token.
    def same_origin?
      site = request.get_header("HTTP_SEC_FETCH_SITE")
      origin = request.get_header("HTTP_ORIGIN")
      return origin == own_origin if origin
      return site == "same-origin" if site

      self.class.step(request) == :clear || request.get_header("HTTP_REFERER").to_s.start_with?("#{own_origin}/")
    end

    # Not from the Host header, which anybody can write.
    def own_origin
      url = URI(AutherCutover.settings.redirect_uri)
      port = url.port == url.default_port ? "" : ":#{url.port}"
      "#{url.scheme}://#{url.host}#{port}"
    end

    def leave_for(url)
      Answers.redirect(url)
    end

    def show_failure(reason, status, retry_after_s)
      start = "#{Rack::Utils.escape_html(request.script_name)}/auth/auther/start"
      answer = page(status, "The sign-in was not completed", <<~HTML)
        <p>You have not been signed in. The reason: <code>#{Rack::Utils.escape_html(reason)}</code>.</p>
        <p><a href="#{start}">Try again</a></p>
      HTML
      answer[1]["Retry-After"] = retry_after_s.to_s if retry_after_s
      answer
    end

    def page(status, title, body)
      html = <<~HTML
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><title>#{title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1"></head>
        <body><h1>#{title}</h1>
        #{body}</body>
        </html>
      HTML
      headers = { "Content-Type" => "text/html; charset=utf-8", "X-Frame-Options" => "DENY",
                  "Content-Security-Policy" => "default-src 'none'; frame-ancestors 'none'" }
      [status, headers.merge(Answers::NO_STORE), [html]]
    end

    # All of it, under a new id.
    def reset_session
      session = request.session
      return unless session.respond_to?(:clear)

      session.clear
      renew_session
    end

    def renew_session
      request.session_options[:renew] = true
    end

    # Somebody else's session goes as a whole. The own one keeps cart and the like under a new id.
    def end_legacy_session(user)
      legacy = LegacySession.new(request)
      return unless legacy.hinted?

      reset_session if legacy.user && legacy.user != user
      legacy.end_all
      renew_session
    end
  end
end
