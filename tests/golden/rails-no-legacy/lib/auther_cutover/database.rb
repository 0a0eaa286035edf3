# frozen_string_literal: true

module AutherCutover
  # One statement on the application's own connection.
  module Database
    module_function

    # Never an answer that the query cache kept: it would speak of a row that was made since.
    def value(*statement)
      ActiveRecord::Base.uncached { connection.select_value(bound(statement)) }
    end

    def write(*statement)
      connection.exec_update(bound(statement))
    end

    def connection
      ActiveRecord::Base.connection
    end

    def bound(statement)
      ActiveRecord::Base.sanitize_sql_array(statement)
    end
  end
end
