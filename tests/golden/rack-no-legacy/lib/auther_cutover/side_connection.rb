# frozen_string_literal: true

module AutherCutover
  # A connection of its own for what must never be the cause of an error or of a wait.
  module SideConnection
    CONNECTIONS = Connections.new(1)

    module_function

    # It is opened when it is needed.
    def open; end

    def value(statement, *values)
      CONNECTIONS.run(statement, *values) { |result| result.ntuples.zero? ? nil : result.getvalue(0, 0) }
    end

    def values(statement, *values)
      CONNECTIONS.run(statement, *values) { |result| result.column_values(0) }
    end

    def write(statement, *values)
      CONNECTIONS.run(statement, *values, &:cmd_tuples)
    end
  end
end
