# frozen_string_literal: true

module AutherCutover
  # GET /migrator/metrics in Prometheus' text format, for whoever has the token.
  module Metrics
    PATH = "/migrator/metrics"

    module_function

    def answer(request)
      return Answers.json(404, "not_found") unless request.get? && allowed?(request)

      [200, { "Content-Type" => "text/plain; version=0.0.4", "Cache-Control" => "no-store" }, [text]]
    end

    def allowed?(request)
      token = AutherCutover.settings.metrics_token
      given = request.get_header("HTTP_AUTHORIZATION").to_s[/\ABearer (\S+)\z/i, 1]
      !token.nil? && !given.nil? && ActiveSupport::SecurityUtils.secure_compare(token, given)
    end

    def text
      totals, since_s = AutherCutover.counters.read
      families = totals.group_by { |(name, _), _| name }
      lines = families.sort.flat_map do |name, series|
        ["# TYPE #{name} counter"] + series.map { |(_, labels), count| line(name, labels, count) }
      end
      lines << "# TYPE migrator_shim_info gauge" << line("migrator_shim_info", info, 1)
      lines << "# TYPE migrator_process_start_time_seconds gauge"
      lines << format("migrator_process_start_time_seconds %.3f", since_s)
      lines.join("\n") << "\n"
    end

    def info
      settings = AutherCutover.settings
      { instance: settings.instance, build: settings.build, baked: "auther", stage: "auther", epoch: 0,
        source: "baked" }
    end

    def line(name, labels, value)
      pairs = labels.map { |key, text| %(#{key}="#{escape(text)}") }
      [name, "{", pairs.join(","), "} ", value].join
    end

    def escape(text)
      text.to_s.gsub(/["\\\n]/, '"' => '\"', "\\" => "\\\\", "\n" => '\n')
    end
  end
end
