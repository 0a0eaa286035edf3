# frozen_string_literal: true

module AutherCutover
  # The cookies that this code owns: the id_token, the bucket key, a login attempt and so on.
  module Cookies
    ID_TOKEN = "auther_id_token"
    BUCKET = "migrator_bucket"
    RENEWALS = "auther_renewals"
    EXCHANGE_PAUSE = "auther_exchange_pause"

    module_function

    def read(jar, name)
      value = jar[AutherCutover.settings.cookie_name(name)]
      value unless value.to_s.empty?
    end

    # A browser that sends one name twice had the second one planted.
    def doubled?(request, name)
      pair = /(?:\A|;)\s*#{Regexp.escape(AutherCutover.settings.cookie_name(name))}=/
      request.get_header("HTTP_COOKIE").to_s.scan(pair).size > 1
    end

    def write(jar, name, value, expires:)
      jar[AutherCutover.settings.cookie_name(name)] = attributes.merge(value: value, expires: expires)
    end

    # A __Host- cookie is only deleted by a Set-Cookie that has its attributes.
    def delete(jar, name)
      jar.delete(AutherCutover.settings.cookie_name(name), attributes)
    end

    def attributes
      { path: "/", secure: AutherCutover.settings.secure?, httponly: true, same_site: :lax }
    end
  end
end
