# frozen_string_literal: true

module AutherCutover
  # The cookies of a request, and those that its answer will set.
  class CookieJar
    def initialize(cookies)
      @cookies = cookies.dup
      @changed = {}
    end

    def [](name)
      @cookies[name]
    end

    def key?(name)
      @cookies.key?(name)
    end

    def []=(name, attributes)
      @cookies[name] = attributes.fetch(:value)
      @changed[name] = attributes
    end

    def delete(name, attributes)
      @cookies.delete(name)
      @changed[name] = attributes.merge(value: "", expires: Time.at(0), max_age: "0")
    end

    def encrypted
      EncryptedCookies.new(self)
    end

    # The headers of an answer with these cookies.
    def write(headers)
      return headers if @changed.empty?

      headers = headers.dup
      @changed.each { |name, attributes| Rack::Utils.set_cookie_header!(headers, name, attributes) }
      headers
    end
  end

  # Values that the browser can neither read nor make, and that end by themselves.
  class EncryptedCookies
    def initialize(jar)
      @jar = jar
    end

    # nil for one that is not ours, or that has ended.
    def [](name)
      text = Sealed.unseal(key(name), @jar[name].to_s)
      kept = text && JSON.parse(text)
      kept["value"] if kept && kept["until"] > Time.now.to_f
    end

    def []=(name, attributes)
      kept = { value: attributes.fetch(:value), until: attributes.fetch(:expires).to_f }
      @jar[name] = attributes.merge(value: Sealed.seal(key(name), JSON.generate(kept)))
    end

    private

    # By name: one cookie's value is no good in another one.
    def key(name)
      Digest::SHA256.digest("auther_cutover:#{name}:#{AutherCutover.settings.cookie_secret}")
    end
  end
end
