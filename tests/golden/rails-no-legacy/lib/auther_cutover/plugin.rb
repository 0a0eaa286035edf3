# frozen_string_literal: true

require "json"
require "net/http"

module AutherCutover
  # Asks the migration's plugin at Auther, server to server.
  module Plugin
    # It answered, and the answer is no.
    class Refused < StandardError
      attr_reader :status

      def initialize(status)
        @status = status
        super("answered #{status}")
      end
    end

    # Nobody knows what it would have said.
    class Unreachable < StandardError; end

    NETWORK_ERRORS = [SystemCallError, SocketError, IOError, Timeout::Error, OpenSSL::SSL::SSLError,
                      Net::ProtocolError, Net::HTTPBadResponse, JSON::ParserError].freeze

    # What a caller is told when it does not answer.
    RETRY_AFTER_S = 5

    module_function

    def ready?(secret)
      !secret.to_s.empty? && !AutherCutover.settings.plugin_url.to_s.empty?
    end

    def url(path)
      "#{AutherCutover.settings.plugin_url}/#{path}"
    end

    # The answer as a Hash; raises Refused or Unreachable. timeout_s is for the whole call.
    def post(path, secret, body, timeout_s:)
      ask(URI(url(path)), { "Authorization" => "Bearer #{secret}" }, body, timeout_s: timeout_s)
    end

    def ask(url, headers, body, timeout_s:)
      response = Timeout.timeout(timeout_s) { send_json(url, headers, body, timeout_s) }
      raise Unreachable, "answered #{response.code}" if response.is_a?(Net::HTTPServerError)
      raise Refused, response.code.to_i unless response.is_a?(Net::HTTPOK)

      answer = JSON.parse(response.body)
      answer.is_a?(Hash) ? answer : raise(Unreachable, "answered something else than an object")
    rescue *NETWORK_ERRORS => error
      raise Unreachable, error.class.name
    end

    def send_json(url, headers, body, timeout_s)
      headers = { "Content-Type" => "application/json" }.merge(headers)
      options = { use_ssl: url.scheme == "https", open_timeout: timeout_s, read_timeout: timeout_s, max_retries: 0 }
      # Not through a proxy of the environment.
      Net::HTTP.start(url.hostname, url.port, nil, **options) do |http|
        http.post(url.request_uri, JSON.generate(body), headers)
      end
    end
  end
end
