# frozen_string_literal: true

workers Integer(ENV.fetch("WEB_CONCURRENCY", "0"))
preload_app! if ENV.key?("WEB_CONCURRENCY")
threads 5, 5
bind "tcp://127.0.0.1:#{ENV.fetch('PORT')}"
environment "production"
