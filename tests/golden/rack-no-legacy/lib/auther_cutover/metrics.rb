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
      !token.nil? && !given.nil? && Rack::Utils.secure_compare(token, given)
    end

    def text
      totals, since_s = AutherCutover.counters.read
      # There from the start: none so far is not the same as not counted.
      Counters::PATHS.each { |path| totals[[Counters::ERRORS, { path: path }]] ||= 0 }
      families = totals.group_by { |(name, _), _| name }
      lines = durations(totals)
      families.except(Counters::DURATION_BUCKET, Counters::DURATION_SUM).sort.each do |name, series|
        lines << "# TYPE #{name} counter"
        lines.concat(series.map { |(_, labels), count| line(name, labels, count) })
      end
      lines << "# TYPE migrator_shim_info gauge" << line("migrator_shim_info", info, 1)
      lines << "# TYPE migrator_process_start_time_seconds gauge"
      lines << format("migrator_process_start_time_seconds %.3f", since_s)
      lines.join("\n") << "\n"
    end

    # Each bucket's figure counts what is in the smaller ones too.
    def durations(totals)
      requests = 0
      buckets = [*Counters::DURATION_BUCKETS_S, nil].map do |bound|
        requests += totals.fetch([Counters::DURATION_BUCKET, bound], 0)
        line(Counters::DURATION_BUCKET, { le: bound || "+Inf" }, requests)
      end
      ["# TYPE #{Counters::DURATION} histogram", *buckets,
       "#{Counters::DURATION_SUM} #{totals.fetch([Counters::DURATION_SUM, nil], 0)}",
       "#{Counters::DURATION}_count #{requests}"]
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
