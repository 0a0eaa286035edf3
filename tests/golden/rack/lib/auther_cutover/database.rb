# frozen_string_literal: true

module AutherCutover
  # A few connections of this code's own, made when they are needed and never shared over a fork.
  class Connections
    LIMITS = { connect_timeout: 2, options: "-c statement_timeout=2s -c lock_timeout=500ms" }.freeze

    def initialize(size)
      @size = size
      @lock = Mutex.new
    end

    # Runs one statement. Each ? is a value, or a list of values.
    def run(statement, *values)
      places = 0
      left = values.dup
      text = statement.gsub("?") { Array(left.shift).map { "$#{places += 1}" }.join(", ") }
      with_connection { |connection| connection.exec_params(text, values.flatten) { |result| yield result } }
    end

    private

    def with_connection
      connection = free.pop
      connection = open if connection.nil? || connection.finished?
      yield connection
    rescue PG::Error
      # One that may be broken is not used again.
      connection = give_up(connection)
      raise
    ensure
      free.push(connection)
    end

    # nil stands for a connection that is still to be made.
    def free
      @lock.synchronize do
        next @free if @pid == Process.pid

        # Kept: to collect them would end the connections of the process that was forked.
        @inherited = @free
        @pid = Process.pid
        @free = Queue.new.tap { |queue| @size.times { queue.push(nil) } }
      end
    end

    def open
      PG.connect(AutherCutover.application.database, **LIMITS)
    end

    def give_up(connection)
      connection&.finish unless connection&.finished?
      nil
    end
  end

  # One statement on the application's database. Raises PG::Error.
  module Database
    AT_ONCE = 5
    CONNECTIONS = Connections.new(AT_ONCE)

    module_function

    def value(statement, *values)
      CONNECTIONS.run(statement, *values) { |result| result.ntuples.zero? ? nil : result.getvalue(0, 0) }
    end

    # The first row as a Hash, or nil.
    def row(statement, *values)
      CONNECTIONS.run(statement, *values, &:first)
    end

    def write(statement, *values)
      CONNECTIONS.run(statement, *values, &:cmd_tuples)
    end
  end
end
