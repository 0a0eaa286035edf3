# frozen_string_literal: true

module AutherCutover
  # Connections of their own for what must never be the cause of an error or of a wait.
  class SideConnection < ActiveRecord::Base
    self.abstract_class = true

    LIMITS = { pool: 1, connect_timeout: 2, variables: { statement_timeout: "2s", lock_timeout: "500ms" } }.freeze

    def self.open
      establish_connection(ActiveRecord::Base.connection_db_config.configuration_hash.merge(LIMITS))
    end

    def self.value(*statement)
      connection_pool.with_connection { |connection| connection.select_value(sanitize_sql_array(statement)) }
    end

    def self.values(*statement)
      connection_pool.with_connection { |connection| connection.select_values(sanitize_sql_array(statement)) }
    end

    def self.write(*statement)
      connection_pool.with_connection { |connection| connection.execute(sanitize_sql_array(statement)) }
    end
  end
end
