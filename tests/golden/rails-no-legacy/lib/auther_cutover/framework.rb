# frozen_string_literal: true

module AutherCutover
  # What this code takes from Rails, and its places in an application.
  class << self
    def logger
      Rails.logger
    end

    def root
      Rails.root.to_s
    end

    # Their transactions would hide from other connections what they write.
    def in_tests?
      Rails.env.test?
    end

    # The status that an error of the application is answered with.
    def status_of(error)
      ActionDispatch::ExceptionWrapper.status_code_for_exception(error.class.name)
    end

    def install(app)
      Routes.draw(app)
      app.config.middleware.use Middleware
      ActiveSupport.on_load(:action_controller_base) do
        prepend CsrfProtection
        include Authentication
      end
      # The authorization code comes in the callback's query, which Rails logs.
      app.config.filter_parameters += [/\Acode\z/]
      # Before that Ruby it begins with the first request, which no process serves that forks.
      if Process.respond_to?(:_fork)
        Process.singleton_class.prepend(ForkBetweenRounds)
        app.server { beacon.ensure_running }
      end
    end
  end
end
