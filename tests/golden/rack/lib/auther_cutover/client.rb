# frozen_string_literal: true

module AutherCutover
  # What kind of client asks: by the signs of a browser, without any by its credential. A person's makes it
  # an app; an API key, another's bearer or none a program.
  module Client
    PERSONAL = %i[legacy auther both].freeze

    module_function

    def kind(request, path, claims = nil)
      return :browser if browser?(request)

      PERSONAL.include?(path) && !claims&.key?("apiKeyId") ? :app : :api
    end

    # Whatever it asks for.
    def browser?(request)
      env = request.env
      env.key?("HTTP_SEC_FETCH_MODE") || env["HTTP_USER_AGENT"]&.start_with?("Mozilla/") ||
        env["HTTP_ACCEPT"]&.include?("text/html")
    end
  end
end
