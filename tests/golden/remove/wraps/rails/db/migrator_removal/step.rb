# frozen_string_literal: true

module MigratorRemoval
  # Runs one file of the removal 0123456789abcdef, part by part. A part that the guard schema knows to be done is left out, so an
  # interrupted migration is run again. The SQL asks for the gates' evidence itself and refuses without.
  module Step
    FOLDER = __dir__
    UNIT = /^-- (unit|always): (\w+)\n/

    private

    def run_step(step, direction)
      return say("#{step}: nothing to do") if settled?(step, direction)

      assured do
        run_sql("SELECT migrator_guard.lease_by_hand('rails')") if guarded?
        done = done_units(step, direction)
        units(step, direction).each { |kind, name, sql| run_sql(sql) unless kind == "unit" && done.include?(name) }
      ensure
        run_sql("SELECT migrator_guard.lease_back()") if guarded?
      end
    end

    def units(step, direction)
      text = File.read(File.join(FOLDER, direction, "#{step}.sql"), encoding: "UTF-8")
      text.split(UNIT).drop(1).each_slice(3)
    end

    def settled?(step, direction)
      return direction == "revert" && untouched! unless guarded?

      state = connection.select_value("SELECT state FROM migrator_guard.step WHERE step = #{connection.quote(step)}")
      state == (direction == "deploy" ? "applied" : "pending")
    end

    # Without the guard schema nothing was begun, or all of it is finished.
    def untouched!
      connection.select_value("SELECT to_regclass('\"public\".\"\#{exit}\"') IS NOT NULL") ||
        raise("the removal is finished: only migrator knows the way back; " \
              "migrator remove revert --to 16_purge_columns, then the same again")
    end

    def done_units(step, direction)
      return [] unless guarded?

      connection.select_values("SELECT unit FROM migrator_guard.unit WHERE step = #{connection.quote(step)} " \
                               "AND direction = #{connection.quote(direction)}")
    end

    def guarded?
      connection.select_value("SELECT to_regclass('migrator_guard.step') IS NOT NULL")
    end

    def run_sql(sql)
      suppress_messages { execute(sql) }
    rescue ActiveRecord::StatementInvalid
      # Else whatever Rails says next on this connection would hide the reason.
      connection.execute("ROLLBACK")
      raise
    end

    # strong_migrations cannot see the guard around a statement: lease, evidence, one lock wait, a way back.
    def assured(&block)
      respond_to?(:safety_assured, true) ? safety_assured(&block) : block.call
    end
  end
end
